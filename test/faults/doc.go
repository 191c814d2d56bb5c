// Package faults breaks things around a running edged and counts what becomes of every message that it acknowledged. It
// has tests only.
//
// # What is counted
//
// Each publisher sends the numbers 0, 1, 2, … on a topic of its own, and notes every PUBACK or PUBREC it gets; it lives in
// another process than edged, so its notes survive. Readers with persistent sessions, one at edged and one at the cloud's
// mosquitto, note every number that arrives. In the end each number that was acknowledged must have arrived: at least once
// and first arrivals in order at QoS 1, exactly once and in order at QoS 2. Publishers and readers are our own, on raw
// packets: what they do after a cut is what the standard asks for, and nothing more.
//
// # What is broken
//
//   - edged is killed at random moments (kill_test.go), also while it starts;
//   - the line to the cloud is cut, delayed, chopped or silent from a random byte on (line_test.go), and mosquitto is
//     restarted with its session (storm_test.go);
//   - the disk is full (full_test.go), fails (ioerror_test.go), or loses its power (powercut_test.go);
//   - files of the store are damaged between a kill and a start (damage_test.go).
//
// What is found broken and not mended yet is listed in known_test.go: it is logged, and everything else fails a test.
//
// # How to run it
//
//	go test ./test/faults
//	EDGED_FAULTS_ROUNDS=20 EDGED_FAULTS_SEED=7 go test -timeout 2h ./test/faults
//
// EDGED_FAULTS_ROUNDS multiplies the rounds; 20 are 1,000 kills. The seed of a run is printed when it fails; the same one chooses the same
// faults, though not the same moments. It needs root, for mounts and for strace; the mounts lie in a namespace of their own, so nothing is left of
// them however the run ends.
package faults
