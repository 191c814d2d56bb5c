// Package topic knows MQTT's topic names and topic filters: what is well formed, what matches what, and two structures to
// look them up in by the hundred thousand.
//
// # Names, filters, levels
//
// A topic name is what a message is published to; a topic filter is what a subscriber asks for. Both are cut into levels
// by slashes, and a level may be empty: "/a/" has three. In a filter the level "+" stands for any one level and a last
// level "#" for the level before it and everything below, so that "a/#" matches "a", "a/" and "a/b/c" (MQTT 5.0 §4.7.1).
// A wildcard in the first level never matches a name that begins with $ (MQTT-4.7.2-1).
//
// A filter "$share/<group>/<filter>" is a shared subscription: [SplitShare] takes it apart. [Match], [Trie] and [Names]
// know nothing of groups and want the inner filter.
//
// # Two directions
//
// A [Trie] holds filters and is asked with a name: whose subscriptions want this message? [Names] holds names and is
// asked with a filter: which retained messages does this new subscriber get? Both are trees with a node a level:
//
//	filters a/b, a/+/c, a/#              names a, a/b/c
//
//	root ── a ─┬─ b •                    root ── a • ── b ── c •
//	           ├─ + ── c •
//	           └─ # •                    •: holds a value
//
// # Caveats
//
// Neither structure locks: whoever owns it guards it. Readers may run at the same time as readers.
//
// A look-up visits a node at most once, so hostile filters cannot make it exponential; what it costs at most is the
// number of nodes that match a beginning of what is asked for. A node takes about 100 bytes, so that a filter of 65,535
// levels takes a hundred times its own length: whoever takes filters and names from strangers bounds their [Levels].
//
// Nothing here checks what it is given except [CheckName] and [CheckFilter]. The structures copy what they keep of a
// string, which may therefore be a part of a buffer that is used again.
package topic
