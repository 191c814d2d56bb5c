// Package scenario holds what is measured, one scenario a file. Each runs against one broker, which was started for it, and
// returns metrics; an error means that the broker lost, repeated or reordered messages, or gave up.
package scenario
