//go:build !unix

package broker

import "errors"

// Elsewhere connections are read and written in the ordinary way; see listener.go.

func (in *input) readReady(uintptr) bool {
	in.err = errors.ErrUnsupported
	return true
}

func writeReady(uintptr, []byte) (int, error) { return 0, nil }
