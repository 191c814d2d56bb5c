package main

import (
	"context"
	"errors"

	"github.com/edged/edged/codec/mqtt"
	"github.com/edged/edged/configs"
	"github.com/edged/edged/internal/client"
)

// The exit codes of every subcommand.
const (
	exitDone      = 0
	exitFailed    = 1
	exitUsage     = 2
	exitConfig    = 3
	exitUnreached = 4
	exitForbidden = 5
	exitTimeout   = 6
)

// codedError is an error with its exit code.
type codedError struct {
	code int
	err  error
}

func (e *codedError) Error() string { return e.err.Error() }
func (e *codedError) Unwrap() error { return e.err }

func usage(err error) error { return &codedError{exitUsage, err} }

// codeOf finds the exit code of an error.
func codeOf(err error) int {
	var coded *codedError
	var mistakes configs.Errors
	var refused *client.CodeError
	switch {
	case errors.As(err, &coded):
		return coded.code
	case errors.As(err, &mistakes):
		return exitConfig
	case errors.As(err, &refused) && forbidden(refused.Code):
		return exitForbidden
	case errors.Is(err, context.DeadlineExceeded):
		return exitTimeout
	}
	return exitFailed
}

func forbidden(c mqtt.ReasonCode) bool {
	return c == mqtt.NotAuthorized || c == mqtt.BadUserNameOrPassword || c == mqtt.Banned
}
