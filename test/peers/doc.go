// Package peers runs programs for tests: edged itself as a user runs it, mosquitto as the cloud's broker, and whatever
// else talks to it. It imports nothing of edged, so that nothing but its binary is under test.
//
// Every process dies with the test that started it, and its last lines are printed when the test failed.
package peers
