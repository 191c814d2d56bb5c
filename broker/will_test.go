package broker_test

import (
	"strings"
	"testing"

	"github.com/edged/edged"
	"github.com/edged/edged/broker/brokertest"
	"github.com/edged/edged/codec/mqtt"
)

// willing connects with a will on topic "will" whose payload is the client identifier.
func willing(t *testing.T, r *brokertest.Running, id string, clean bool, delay, expiry uint32) *peer {
	t.Helper()
	return connect(t, r, mqtt.Connect{
		Version: mqtt.V5, ClientID: id, CleanStart: clean,
		Properties: &mqtt.Properties{Has: mqtt.SessionExpiryInterval, SessionExpiryInterval: expiry},
		Will: &mqtt.Will{Topic: "will", QoS: 1, Payload: []byte(id), Properties: &mqtt.Properties{
			Has: mqtt.WillDelayInterval | mqtt.ContentType, WillDelayInterval: delay, ContentType: "text",
		}},
	})
}

// watch subscribes to wills with a session that is kept.
func watch(t *testing.T, r *brokertest.Running) *peer {
	t.Helper()
	w := kept(t, r, "watcher", mqtt.V5)
	w.subscribe(mqtt.Filter{Filter: "will", QoS: 2})
	return w
}

// gone waits until the broker has noticed that a client is not connected any more.
func gone(t *testing.T, r *brokertest.Running, left int) {
	t.Helper()
	eventually(t, "the clients are gone", func() bool { return r.Stats().Connected == left })
}

func TestADelayedWillIsNotSentToOneWhoComesBack(t *testing.T) {
	r := brokertest.Start(t)
	w := watch(t, r)
	willing(t, r, "back", false, 1, 100).nc.Close()
	gone(t, r, 1)
	equal(t, "session present", willing(t, r, "back", false, 1, 100).ack.SessionPresent, true)
	willing(t, r, "away", false, 1, 100).nc.Close()
	equal(t, "will", string(w.receive().Payload), "away") // later than the other one's would have come
	w.quiet()
}

func TestTheEndOfTheSessionSendsADelayedWill(t *testing.T) {
	r := brokertest.Start(t)
	w := watch(t, r)
	willing(t, r, "no session", false, 1000, 0).nc.Close()
	equal(t, "will", string(w.receive().Payload), "no session")
	willing(t, r, "short session", false, 1000, 1).nc.Close()
	equal(t, "will", string(w.receive().Payload), "short session")
	willing(t, r, "replaced", false, 1000, 1000).nc.Close()
	gone(t, r, 1)
	x := willing(t, r, "replaced", true, 1000, 1000)
	equal(t, "will", string(w.receive().Payload), "replaced")
	x.send(&mqtt.Disconnect{Code: mqtt.DisconnectWithWillMessage, Properties: &mqtt.Properties{Has: mqtt.SessionExpiryInterval}})
	equal(t, "will", string(w.receive().Payload), "replaced") // this DISCONNECT ended the session
	taken := willing(t, r, "taken over", false, 1000, 1000)
	willing(t, r, "taken over", false, 1000, 1000)
	taken.expectEnd(mqtt.SessionTakenOver)
	w.quiet() // the session goes on
	willing(t, r, "taken over", true, 1000, 1000)
	equal(t, "will", string(w.receive().Payload), "taken over")
	ordinary := willing(t, r, "ordinary", false, 1000, 1)
	ordinary.disconnect()
	eventually(t, "the session expires", func() bool { return r.Stats().Sessions == 3 })
	w.quiet()
}

func TestADelayedWillSurvivesAPowerCut(t *testing.T) {
	store := brokertest.NewStore()
	r := brokertest.Start(t, brokertest.With(store))
	w := watch(t, r)
	w.disconnect()
	willing(t, r, "cancelled", false, 1, 100).nc.Close()
	gone(t, r, 0)
	back := willing(t, r, "cancelled", false, 1, 100)
	back.subscribe(mqtt.Filter{Filter: "x"}) // its SUBACK comes after the commit
	willing(t, r, "with/slash", false, 2, 100).nc.Close()
	gone(t, r, 1)
	willing(t, r, "short session", false, 1000, 1).nc.Close()
	gone(t, r, 1)
	eventually(t, "they are kept", func() bool { return records(t, store, "will/") == 2 })

	store = store.PowerCut()
	r = brokertest.Start(t, brokertest.With(store))
	w = kept(t, r, "watcher", mqtt.V5)
	got := []string{}
	for range 2 {
		m := w.receive()
		got = append(got, string(m.Payload))
		equal(t, "content type", m.Properties.ContentType, "text")
		equal(t, "retain", m.Retain, false)
	}
	if s := strings.Join(got, ", "); s != "with/slash, short session" && s != "short session, with/slash" {
		t.Errorf("wills: %s", s)
	}
	w.quiet()
	eventually(t, "their records are deleted", func() bool { return records(t, store, "will/") == 0 })
	equal(t, "the session that comes back", willing(t, r, "with/slash", false, 1, 100).ack.SessionPresent, true)

	r = brokertest.Start(t, brokertest.With(store.PowerCut())) // and they do not come again
	w = kept(t, r, "watcher", mqtt.V5)
	willing(t, r, "last", false, 0, 100).nc.Close()
	for m := w.receive(); string(m.Payload) != "last"; m = w.receive() {
		if !m.Dup {
			t.Errorf("%s again", m.Payload)
		}
	}
}

// records counts the records of a prefix.
func records(t *testing.T, s edged.Store, prefix string) (n int) {
	t.Helper()
	err := s.Records(prefix, func(edged.Record) error {
		n++
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	return n
}

func TestAnExpiringSessionThatIsUsedIsNotLeft(t *testing.T) {
	store := brokertest.NewStore()
	r := brokertest.Start(t, brokertest.With(store))
	text := func() (s string) {
		if err := store.Records("session/a", func(r edged.Record) error {
			s = string(r.Value)
			return nil
		}); err != nil {
			t.Error(err)
		}
		return s
	}
	willing(t, r, "a", false, 0, 100).disconnect()
	eventually(t, "it is left", func() bool { return strings.Contains(text(), "left") })
	a := willing(t, r, "a", false, 0, 200)
	eventually(t, "it is not left any more", func() bool { return !strings.Contains(text(), "left") && strings.Contains(text(), "200") })
	a.send(&mqtt.Disconnect{Properties: &mqtt.Properties{Has: mqtt.SessionExpiryInterval, SessionExpiryInterval: 1<<32 - 1}})
	eventually(t, "it never expires", func() bool { return strings.Contains(text(), "4294967295") })
}

func TestDamagedWillsDoNotStopTheStart(t *testing.T) {
	store := brokertest.NewStore()
	for _, rec := range []edged.Record{{Key: "will/a", Value: []byte("{")}, {Key: "will/b", Value: []byte(`{"message":"AAAA"}`)}} {
		store.Commit(edged.Batch{Put: []edged.Record{rec}}, nil)
	}
	brokertest.Start(t, brokertest.With(store))
	equal(t, "records", records(t, store, "will/"), 0)
}
