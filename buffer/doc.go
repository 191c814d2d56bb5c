// Package buffer keeps queues of messages, and records beside them, on disk.
package buffer
