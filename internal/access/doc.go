// Package access decides who may connect to the broker, and what each client may publish, subscribe to and receive.
//
// # Who is it
//
// [Access.Authenticate] takes what a CONNECT and its connection show, and gives an [Identity]: a user's name, or none.
// The first of these that applies decides; there is no falling back to the next one, so that a wrong password never
// becomes an anonymous login:
//
//  1. a client certificate, verified by TLS, when [Config].CertificateUser says which name in it counts;
//  2. a JSON Web Token in the password, when [JWT] names keys (RFC 7519; HS256, RS256, ES256, EdDSA);
//  3. user name and password, when there is a users file;
//  4. nothing shown: anonymous, where the broker's policy allows it ([Request].Anonymous).
//
// Without users file and keys nobody can tell who a client is. A user name it shows then counts for nothing: the client
// is anonymous, or refused.
//
// # What may it do
//
// [Access.Grants] makes the [Grants] of one session: the first [Rule] whose user pattern matches the user decides, alone;
// no rule matches: nothing is allowed. No rules at all: everything but writing $SYS, which nobody may ever do. Grants are
// asked at publish (wills and retained messages too), at subscribe, and again at delivery, which is what keeps retained
// messages and old subscriptions within the rules. Nothing is allocated then.
//
// A filter is allowed when one allowed filter covers it: matches every name that it matches. "a/#" covers "a", "a/+/c"
// and "a/#", but "a/+" does not cover "a/#". $share/<group>/<filter> is judged by its filter.
//
// # Passwords
//
// The users file has mosquitto_passwd's format, and either program reads what the other wrote: a line for each user,
// "name:$7$iterations$salt$hash" (PBKDF2-SHA512) or "name:$6$salt$hash" (SHA-512). It is looked at when somebody logs in,
// at most once a second, and read again when it has changed. While the new one is broken, the users of the old one stay.
//
// [AddUser] hashes with 210,000 iterations, OWASP's figure for PBKDF2-SHA512: 0.1 s of a server's processor, an estimated
// half second of a Raspberry Pi 4's, six times as long in 32-bit programs, so that the smallest boards take seconds. It
// is paid once for each user after a start: a password that was proved right is known again by a keyed hash in memory,
// also when the client did not wait for the end of it. At most half the processors hash at a time. The 101 iterations of
// mosquitto_passwd 2.0 are two thousand times cheaper; that is enough for long random passwords, and for nothing else.
//
// # Guessing
//
// A wrong password is charged to the address together with the user's name (5 at once, then one in 10 s) and to the
// address (30 at once, then one a second); an IPv6 address counts as its /64. Whoever has used that up is told to slow
// down, also with the right password; other users behind the same address, whose passwords are known already, pass. The
// same wrong password costs once, however often it is tried, so that a device with an old password keeps out neither its
// neighbours behind one router nor those that share its user name. An unknown user costs the same time as a known one.
//
// # Caveats
//
//   - {client_id} in a rule is what the client says of itself. Where clients must not speak for each other, use {user}.
//   - A password that looks like a token (three parts, the first begins with "ey") is taken for one, when keys are set.
//   - Key files are read by [New], once. A new Access has proved no passwords yet and knows of no failures: on a reload,
//     keep the old one when its configuration is the same.
//   - A session belongs to a user: whoever wires this must not let one user take over the session of another by its client
//     identifier, and ends the connection at [Identity].Expires.
//   - [SlowDownError].Until is for the log. A client that is told could tell known users from unknown ones.
package access
