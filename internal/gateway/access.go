package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/edged/edged/broker"
	"github.com/edged/edged/codec/mqtt"
	"github.com/edged/edged/internal/access"
)

// guard is the package access in the broker's words.
type guard struct {
	access *access.Access
	rules  bool
}

var _ broker.Access = guard{}

func newGuard(cfg access.Config, log *slog.Logger) (guard, error) {
	a, err := access.New(cfg, access.Options{Log: log})
	if err != nil {
		return guard{}, fmt.Errorf("broker: %w", err)
	}
	return guard{access: a, rules: len(cfg.Access) > 0}, nil
}

// Authenticate implements broker.Access. The client learns no more than the error says, which does not tell unknown users
// from wrong passwords, nor until when it has to wait.
func (g guard) Authenticate(ctx context.Context, c broker.Credentials) (broker.Identity, error) {
	id, err := g.access.Authenticate(ctx, access.Request{
		Remote: c.Remote, ClientID: c.ClientID, Username: c.Username, Password: c.Password, Cert: c.Certificate, Anonymous: c.Anonymous,
	})
	var slow *access.SlowDownError
	switch {
	case err == nil:
		return broker.Identity(id), nil
	case errors.As(err, &slow):
		return broker.Identity{}, &broker.Refusal{Code: mqtt.ConnectionRateExceeded, Reason: "too many failed logins; try again later"}
	case errors.Is(err, access.ErrBadCredentials):
		return broker.Identity{}, &broker.Refusal{Code: mqtt.BadUserNameOrPassword, Reason: access.ErrBadCredentials.Error()}
	case errors.Is(err, access.ErrNotAuthorised):
		return broker.Identity{}, &broker.Refusal{Code: mqtt.NotAuthorized, Reason: err.Error()}
	}
	return broker.Identity{}, err
}

// Grants implements broker.Access; without rules there is nothing to ask.
func (g guard) Grants(user, clientID string) broker.Grants {
	if !g.rules {
		return nil
	}
	return g.access.Grants(user, clientID)
}
