// Package bridge is the uplink: it carries messages between the local broker and a server elsewhere, the cloud.
//
// # The way up
//
// The local broker routes what Config.Subscriptions asks for into a queue on disk. An [Uplink] leases from that queue in
// order, gives each message the topic that the first matching Forward rule makes, publishes it, and acknowledges it to
// the queue when the server has acknowledged it. Up to Config.Inflight messages are under way at once. What a rule sends
// at QoS 0 does not pass the queue: it goes out while the line is up, and is dropped, counted, when the line is slower.
//
// # The way down
//
// Receive rules are subscriptions on the server. A message is acknowledged to the server only after the local broker has
// kept it, one at a time and in order; what no rule maps never reaches the local broker. Nothing that came from the
// server goes back to it: the queue's subscriptions leave out what the uplink itself published.
//
// # What is guaranteed
//
// Up, QoS 1: at least once, in order of first arrival. After a lost connection what was not acknowledged is sent again.
//
// Up, QoS 2, as long as the server keeps the session: exactly once and in order, through lost connections and power
// cuts at either end. This rests on:
//
//   - A message always has the same packet identifier, which follows from its sequence number, so that no restart gives
//     it a second one, which a server would take for a second message.
//   - PUBREL goes out only when the server's PUBREC is on disk. From then on only PUBREL is sent.
//   - After a reconnect, in order: PUBREL for what the server has taken over, PUBLISH with DUP for the rest. Nothing new is
//     sent before the last of these PUBRELs is answered.
//   - A message under way is never given up, though it may have expired: its identifier would stay taken on the server.
//   - Messages under way span less than half of the identifiers; and no QoS 2 message takes the identifier of one that
//     a power cut could bring back.
//   - A note on disk says on which server the session is. Another server, another client identifier, or no note, begin with
//     a clean session.
//
// If the server loses the session, what was under way is sent again as new: nothing is lost, and at most Config.Inflight
// messages are doubled for each loss. They are counted in Stats.Uncertain. The server's receipts of before are void by a
// note on disk, written before anything is sent. What a server acknowledged and then lost is beyond reach.
//
// One case is beyond version 3.1.1 as well: the server loses the session, and the news of it, the CONNACK without "session
// present", is lost with its connection, or in a power cut before the note is on disk. The next CONNACK speaks of the new
// session as present, and a PUBCOMP does not tell that the server knew nothing of the message (version 5 has a reason code
// for it). Of the QoS 2 messages whose PUBREC had come, at most Config.Inflight, those not delivered before are then lost.
//
// Going to another of Config.URLs loses the session unless Config.SharedSession says that they share it.
//
// Order holds among messages of one QoS: MQTT itself delivers QoS 2 later than a QoS 1 message sent after it.
//
// Down, QoS 1: at least once; commands should be harmless when repeated. QoS 2 is refused by Check, as nothing here
// remembers identifiers through a power cut. Retained messages come again at each connect: commands should not be
// retained.
//
// # Losses
//
// Whatever is not sent is counted and reported, under edged/<id>/uplinks/<name>/lost, here and on the server: what the
// queue's bounds dropped, what grew older than max_age, what no rule gives a topic, what is longer than packet_bytes.
// Records of one reason are summed up until they can be sent. What is summed up is gone in a power cut; the queue's own
// counters are not.
//
// # The link
//
//	        ┌──────────────────────── failed, lost ◄────────────┐
//	        ▼                                                   │
//	Waiting ──pause──► Connecting ──CONNACK, session──► Connected ──stop──► Stopped
//	  1 s … 60 s, each double the last, ± a quarter; 5 min when credentials were refused; anew after a minute's connection
//
// An attempt that fails, or a connection that does not last a minute, is followed by the next server at once; the pause
// comes after the last of them. A [Conn] is one connection; another version of MQTT is another [Dialer].
package bridge
