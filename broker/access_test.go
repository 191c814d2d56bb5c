package broker_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/edged/edged/broker"
	"github.com/edged/edged/broker/brokertest"
	"github.com/edged/edged/codec/mqtt"
	"github.com/edged/edged/codec/topic"
)

// rules are an Access whose users' passwords are their names. What a user may do stands under his name: publish, subscribe.
type rules struct {
	mu      sync.Mutex
	of      map[string][2]string // filters
	expires time.Time
	wait    chan struct{} // nil: nobody has to
	seen    []broker.Credentials
}

type grants [2]string

func (g grants) Publish(name string) bool { return topic.Match(g[0], name) }
func (g grants) Receive(name string) bool { return topic.Match(g[1], name) }
func (g grants) Subscribe(filter string) bool {
	_, filter, _ = topic.SplitShare(filter)
	return g[1] == "#" || g[1] == filter || strings.HasSuffix(g[1], "/#") && strings.HasPrefix(filter, strings.TrimSuffix(g[1], "#"))
}

func (r *rules) Authenticate(ctx context.Context, c broker.Credentials) (broker.Identity, error) {
	r.mu.Lock()
	r.seen = append(r.seen, c)
	wait, expires := r.wait, r.expires
	r.mu.Unlock()
	if wait != nil && c.Username == "slow" {
		select {
		case <-wait:
		case <-ctx.Done():
			return broker.Identity{}, ctx.Err()
		}
	}
	switch {
	case c.Username == "" && c.Anonymous:
		return broker.Identity{}, nil
	case c.Username == "":
		return broker.Identity{}, &broker.Refusal{Code: mqtt.NotAuthorized, Reason: "show yourself"}
	case c.Username != string(c.Password):
		return broker.Identity{}, &broker.Refusal{Code: mqtt.BadUserNameOrPassword, Reason: "wrong"}
	}
	return broker.Identity{User: c.Username, Expires: expires}, nil
}

func (r *rules) Grants(user, _ string) broker.Grants {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.of == nil {
		return nil
	}
	return grants(r.of[user])
}

func withAccess(a broker.Access) brokertest.Option {
	return func(_ *broker.Config, o *broker.Options) { o.Access = a }
}

// as connects as a user; a negative expiry is a clean start without one.
func as(t *testing.T, r *brokertest.Running, user, id string, v mqtt.Version, expiry int) *peer {
	t.Helper()
	c := mqtt.Connect{Version: v, ClientID: id, CleanStart: expiry < 0}
	if user != "" {
		c.HasUsername, c.Username, c.HasPassword, c.Password = true, user, true, []byte(user)
	}
	if v == mqtt.V5 && expiry > 0 {
		c.Properties = &mqtt.Properties{Has: mqtt.SessionExpiryInterval, SessionExpiryInterval: uint32(expiry)}
	}
	p := dial(t, r)
	p.v = v
	p.send(&c)
	p.ack = expect[*mqtt.Connack](p)
	return p
}

func TestWhoMayConnect(t *testing.T) {
	a := &rules{}
	r := brokertest.Start(t, withAccess(a))
	for _, v := range versions {
		for _, c := range []struct {
			user, password string
			want           mqtt.ReasonCode
		}{{"ann", "ann", mqtt.Success}, {"", "", mqtt.Success}, {"ann", "bob", mqtt.BadUserNameOrPassword}, {"ann", "", mqtt.BadUserNameOrPassword}} {
			p := dial(t, r)
			p.v = v
			p.send(&mqtt.Connect{Version: v, ClientID: "x" + c.user, CleanStart: true, HasUsername: c.user != "", Username: c.user, HasPassword: c.password != "", Password: []byte(c.password)})
			if got := expect[*mqtt.Connack](p).Code; got != c.want {
				t.Errorf("version %v, %q with %q: %v, want %v", v, c.user, c.password, got, c.want)
			}
		}
	}
	if got := r.Stats().Refused; got != 6 {
		t.Errorf("%d refused, want 6", got)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if c := a.seen[0]; c.ClientID != "xann" || c.Remote == nil || !c.Anonymous || c.Certificate != nil {
		t.Errorf("%+v", c)
	}
}

// TestSlowLoginsHoldUpNobody, and end with the time for CONNECT.
func TestSlowLoginsHoldUpNobody(t *testing.T) {
	a := &rules{wait: make(chan struct{})}
	r := brokertest.Start(t, withAccess(a), brokertest.Config(func(c *broker.Config) { c.Limits.ConnectTimeout = time.Second }))
	var slow []*peer
	for i := range 10 {
		p := dial(t, r)
		p.v = mqtt.V5
		p.send(&mqtt.Connect{Version: mqtt.V5, ClientID: fmt.Sprint(i), CleanStart: true, HasUsername: true, Username: "slow"})
		slow = append(slow, p)
	}
	exchange(t, as(t, r, "ann", "ann", mqtt.V5, -1))
	for _, p := range slow {
		if got := expect[*mqtt.Connack](p).Code; got != mqtt.ServerBusy {
			t.Errorf("CONNACK %v", got)
		}
	}
}

func TestAStopDoesNotWaitForLogins(t *testing.T) {
	a := &rules{wait: make(chan struct{})}
	r := brokertest.Start(t, withAccess(a), brokertest.Config(func(c *broker.Config) { c.Limits.ConnectTimeout = time.Minute }))
	p := dial(t, r)
	p.send(&mqtt.Connect{Version: mqtt.V311, ClientID: "x", CleanStart: true, HasUsername: true, Username: "slow"})
	eventually(t, "it logs in", func() bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		return len(a.seen) == 1
	})
	r.Stop(t) // fails when it takes long
}

func TestATokensEndEndsTheConnection(t *testing.T) {
	a := &rules{expires: time.Now().Add(300 * time.Millisecond)}
	r := brokertest.Start(t, withAccess(a))
	p := as(t, r, "ann", "ann", mqtt.V5, -1)
	old := as(t, r, "bob", "bob", mqtt.V311, -1)
	p.expectEnd(mqtt.NotAuthorized)
	old.expectEnd(0)
}

func TestPublishIsByTheRules(t *testing.T) {
	var log logBuffer
	r := brokertest.Start(t, log.option(), withAccess(&rules{of: map[string][2]string{"ann": {"ann/#", "#"}, "see": {"", "#"}}}))
	w := as(t, r, "see", "see", mqtt.V5, -1)
	w.subscribe(mqtt.Filter{Filter: "#", QoS: 2})
	for _, v := range versions {
		p := as(t, r, "ann", "ann", v, -1)
		for qos := range byte(3) {
			p.send(&mqtt.Publish{Topic: "bob/x", QoS: qos, PacketID: uint16(qos), Retain: true, Payload: []byte("x")})
			want := mqtt.Success
			if v == mqtt.V5 {
				want = mqtt.NotAuthorized
			}
			switch qos {
			case 1:
				equal(t, "PUBACK", expect[*mqtt.Puback](p).Code, want)
			case 2:
				equal(t, "PUBREC", expect[*mqtt.Pubrec](p).Code, want)
				if v != mqtt.V5 {
					p.send(&mqtt.Pubrel{PacketID: uint16(qos)})
					expect[*mqtt.Pubcomp](p)
				}
			}
			p.publish(mqtt.Publish{Topic: "ann/x", QoS: qos, Payload: []byte("y")})
			if m := w.receive(); m.Topic != "ann/x" {
				t.Fatalf("%s reached a reader", m.Topic)
			}
		}
		p.send(&mqtt.Disconnect{})
	}
	equal(t, "denied", r.Stats().Denied, uint64(9))
	late := as(t, r, "see", "late", mqtt.V5, -1)
	late.subscribe(mqtt.Filter{Filter: "bob/#", QoS: 2})
	late.quiet() // nothing was retained
	for _, want := range []string{`no rule of broker.access lets user \"ann\" publish`, "topic=bob/x"} {
		if !log.has(want) {
			t.Errorf("the log has no %s", want)
		}
	}
	p := dial(t, r)
	p.v = mqtt.V5
	p.send(&mqtt.Connect{Version: mqtt.V5, ClientID: "w", CleanStart: true, HasUsername: true, Username: "ann", HasPassword: true, Password: []byte("ann"), Will: &mqtt.Will{Topic: "bob/x"}})
	equal(t, "CONNACK with a will", expect[*mqtt.Connack](p).Code, mqtt.NotAuthorized)
}

func TestSubscribeAndReceiveAreByTheRules(t *testing.T) {
	r := brokertest.Start(t, withAccess(&rules{of: map[string][2]string{"ann": {"#", "ann/#"}}}))
	for _, v := range versions {
		p := as(t, r, "ann", "ann", v, -1)
		p.send(&mqtt.Subscribe{PacketID: 1, Filters: []mqtt.Filter{{Filter: "ann/x", QoS: 1}, {Filter: "#"}, {Filter: "bob/x"}, {Filter: "$share/g/bob/x"}, {Filter: "$share/g/ann/x"}}})
		no := mqtt.NotAuthorized
		if v != mqtt.V5 {
			no = mqtt.UnspecifiedError
		}
		equal(t, "SUBACK", expect[*mqtt.Suback](p).Codes, []mqtt.ReasonCode{1, no, no, no, 0})
		p.send(&mqtt.Unsubscribe{PacketID: 2, Filters: []string{"$share/g/ann/x"}})
		expect[*mqtt.Unsuback](p)
		p.publish(mqtt.Publish{Topic: "bob/x", QoS: 1})
		p.quiet()
	}
}

// TestRulesThatHaveChanged: what a session subscribed to before, what waits in its queue, and its will, are by the rules of now.
func TestRulesThatHaveChanged(t *testing.T) {
	store := brokertest.NewStore()
	before := &rules{of: map[string][2]string{"ann": {"#", "#"}, "bob": {"#", "#"}}}
	r := brokertest.Start(t, brokertest.With(store), withAccess(before))
	ann := as(t, r, "ann", "a", mqtt.V5, 1000)
	ann.subscribe(mqtt.Filter{Filter: "#", QoS: 2})
	ann.disconnect()
	bob := as(t, r, "bob", "b", mqtt.V5, -1)
	for i, name := range []string{"secret/1", "open/1"} {
		bob.publish(mqtt.Publish{Topic: name, QoS: byte(1 + i), Retain: true, Payload: []byte("1")})
	}
	will := dial(t, r)
	will.v = mqtt.V5
	will.send(&mqtt.Connect{
		Version: mqtt.V5, ClientID: "w", HasUsername: true, Username: "bob", HasPassword: true, Password: []byte("bob"),
		Properties: &mqtt.Properties{Has: mqtt.SessionExpiryInterval, SessionExpiryInterval: 1000},
		Will:       &mqtt.Will{Topic: "open/will", QoS: 1, Properties: &mqtt.Properties{Has: mqtt.WillDelayInterval, WillDelayInterval: 1}},
	})
	equal(t, "CONNACK", expect[*mqtt.Connack](will).Code, mqtt.Success)
	will.nc.Close()
	eventually(t, "the will waits on disk", func() bool { return records(t, store, "will/") == 1 })

	store = store.PowerCut()
	after := &rules{of: map[string][2]string{"ann": {"#", "open/#"}, "bob": {"secret/#", "#"}}}
	var log logBuffer
	r = brokertest.Start(t, brokertest.With(store), withAccess(after), log.option())
	ann = as(t, r, "ann", "a", mqtt.V5, 1000)
	equal(t, "session present", ann.ack.SessionPresent, true)
	equal(t, "from the queue", ann.receive().Topic, "open/1")
	ann.quiet()
	ann.subscribe(mqtt.Filter{Filter: "open/#", QoS: 2})
	equal(t, "retained", ann.receive().Topic, "open/1")
	bob = as(t, r, "bob", "b", mqtt.V5, -1)
	bob.publish(mqtt.Publish{Topic: "secret/2", QoS: 1})
	bob.publish(mqtt.Publish{Topic: "secret/2"})
	ann.quiet()
	eventually(t, "the will is refused", func() bool { return log.has("a will was refused") })
	eventually(t, "and gone from the disk", func() bool { return records(t, store, "will/") == 0 })
	ann.quiet()
}

// TestASessionBelongsToItsUser: nobody else takes it over, ends it, or inherits anything of it.
func TestASessionBelongsToItsUser(t *testing.T) {
	for _, v := range []mqtt.Version{mqtt.V311, mqtt.V5} {
		store := brokertest.NewStore()
		r := brokertest.Start(t, brokertest.With(store), withAccess(&rules{}))
		ann := as(t, r, "ann", "x", v, 1000)
		ann.subscribe(mqtt.Filter{Filter: "a", QoS: 1})
		for _, expiry := range []int{-1, 1000} {
			for _, user := range []string{"bob", ""} {
				if got := as(t, r, user, "x", v, expiry).ack.Code; got != mqtt.ClientIdentifierNotValid {
					t.Errorf("%q while ann is connected: %v", user, got)
				}
			}
		}
		ann.quiet()
		ann.disconnect()
		pub := as(t, r, "pub", "pub", v, -1)
		pub.publish(mqtt.Publish{Topic: "a", QoS: 1, Payload: []byte("for ann")})
		equal(t, "bob while ann is away", as(t, r, "bob", "x", v, -1).ack.Code, mqtt.ClientIdentifierNotValid)
		r = brokertest.Start(t, brokertest.With(store.PowerCut()), withAccess(&rules{}))
		equal(t, "bob after a restart", as(t, r, "bob", "x", v, -1).ack.Code, mqtt.ClientIdentifierNotValid)
		ann = as(t, r, "ann", "x", v, 1000)
		equal(t, "session present", ann.ack.SessionPresent, true)
		equal(t, "message", string(ann.receive().Payload), "for ann")
		ann.quiet()
		again := as(t, r, "ann", "x", v, -1) // her own may, and end the session
		equal(t, "ann again", again.ack.Code, mqtt.Success)
		again.disconnect()
		eventually(t, "the name is free", func() bool { return as(t, r, "bob", "x", v, -1).ack.Code == mqtt.Success })
	}
}

// TestAnAnonymousSessionGivesWayToAUser, who begins anew: whoever gets a name and a password is not locked out by what he was before.
func TestAnAnonymousSessionGivesWayToAUser(t *testing.T) {
	r := brokertest.Start(t, withAccess(&rules{}))
	nobody := as(t, r, "", "x", mqtt.V5, 1000)
	nobody.subscribe(mqtt.Filter{Filter: "a", QoS: 1})
	ann := as(t, r, "ann", "x", mqtt.V5, 1000)
	nobody.expectEnd(mqtt.SessionTakenOver)
	equal(t, "CONNACK", ann.ack.Code, mqtt.Success)
	equal(t, "session present", ann.ack.SessionPresent, false)
	as(t, r, "pub", "pub", mqtt.V5, -1).publish(mqtt.Publish{Topic: "a", QoS: 1})
	ann.quiet()
	equal(t, "nobody again", as(t, r, "", "x", mqtt.V5, -1).ack.Code, mqtt.ClientIdentifierNotValid)
}

// TestASharedSubscriptionGoesRoundMembersWhoMayNotReceive.
func TestASharedSubscriptionGoesRoundMembersWhoMayNotReceive(t *testing.T) {
	store := brokertest.NewStore()
	r := brokertest.Start(t, brokertest.With(store), withAccess(&rules{}))
	for _, id := range []string{"a", "b"} {
		p := as(t, r, id, id, mqtt.V5, 1000)
		p.subscribe(mqtt.Filter{Filter: "$share/g/#", QoS: 1})
		p.disconnect()
	}
	r = brokertest.Start(t, brokertest.With(store.PowerCut()), withAccess(&rules{of: map[string][2]string{"a": {"", "open/#"}, "b": {"#", "#"}}}))
	a, b := as(t, r, "a", "a", mqtt.V5, 1000), as(t, r, "b", "b", mqtt.V5, 1000)
	pub := as(t, r, "b", "pub", mqtt.V5, -1)
	for range 10 {
		pub.publish(mqtt.Publish{Topic: "secret", QoS: 1})
		equal(t, "topic", b.receive().Topic, "secret")
	}
	a.quiet()
}
