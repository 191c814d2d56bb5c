// Package bridge is the uplink: it carries messages between the local broker and a server elsewhere.
package bridge
