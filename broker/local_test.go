package broker_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/edged/edged"
	"github.com/edged/edged/broker"
	"github.com/edged/edged/broker/brokertest"
	"github.com/edged/edged/codec/mqtt"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestInProcessClientsWorkBeforeRun(t *testing.T) {
	b, err := broker.New(broker.Config{Anonymous: broker.Never, Limits: broker.DefaultConfig().Limits}, broker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	bus := b.Client("device/x")
	if err := bus.Publish(ctx, edged.Message{Topic: "a", Retain: true, QoS: 1, Payload: []byte("first")}); err != nil {
		t.Fatal(err)
	}
	got := make(chan edged.Message, 2000)
	if err := b.Client("reader").Subscribe(ctx, edged.Subscription{Filter: "#", QoS: 1}, func(m edged.Message) { got <- m }); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- b.Run(ctx) }()
	<-b.Ready()
	for i := range 1000 {
		if err := bus.Publish(ctx, edged.Message{Topic: "b", QoS: 2, Payload: fmt.Append(nil, i)}); err != nil {
			t.Fatal(err)
		}
	}
	m := <-got
	if m.Topic != "a" || !m.Retain || m.From != "device/x" || m.Time.IsZero() {
		t.Fatalf("%+v", m)
	}
	for i := range 1000 {
		for m = <-got; m.Topic != "b"; m = <-got { // $SYS does not match #
			t.Fatalf("%+v", m)
		}
		if string(m.Payload) != fmt.Sprint(i) || m.QoS != 1 {
			t.Fatalf("message %d: %+v", i, m)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if err := bus.Publish(t.Context(), edged.Message{Topic: "a"}); !errors.Is(err, edged.ErrClosed) {
		t.Fatal(err)
	}
	if err := bus.Subscribe(t.Context(), edged.Subscription{Filter: "a"}, func(edged.Message) {}); !errors.Is(err, edged.ErrClosed) {
		t.Fatal(err)
	}
	if err := b.Run(t.Context()); err == nil {
		t.Fatal("Run runs twice")
	}
}

func TestInProcessMistakes(t *testing.T) {
	r := brokertest.Start(t)
	bus := r.Client("x")
	for _, m := range []edged.Message{{}, {Topic: "a/+"}, {Topic: "a", QoS: 3}} {
		if bus.Publish(t.Context(), m) == nil {
			t.Errorf("%+v is accepted", m)
		}
	}
	for _, f := range []string{"", "a#", "$share/g/a"} {
		if bus.Subscribe(t.Context(), edged.Subscription{Filter: f}, func(edged.Message) {}) == nil {
			t.Errorf("%q is accepted", f)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := bus.Publish(ctx, edged.Message{Topic: "a"}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestPublishGivesUpWithItsContextWhenTheStoreStalls(t *testing.T) {
	store := brokertest.NewStore()
	r := brokertest.Start(t, brokertest.With(store))
	kept(t, r, "sub", mqtt.V311).subscribe(mqtt.Filter{Filter: "a", QoS: 1})
	store.Hold()
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error)
	go func() {
		result <- r.Client("x").Publish(ctx, edged.Message{Topic: "a", QoS: 1}, edged.Message{Topic: "a", QoS: 1})
	}()
	eventually(t, "submitted", func() bool { n, _, _ := store.Waiting(); return n == 2 })
	cancel()
	if err := <-result; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	store.Release()
}

func TestAHandlerThatLagsLosesMessagesAndIsCounted(t *testing.T) {
	r := brokertest.Start(t, brokertest.Config(func(c *broker.Config) { c.Limits.QueueMessages = 10 }))
	hold, entered := make(chan struct{}), make(chan struct{})
	once := sync.OnceFunc(func() { close(entered) })
	if err := r.Client("slow").Subscribe(t.Context(), edged.Subscription{Filter: "a"}, func(edged.Message) { once(); <-hold }); err != nil {
		t.Fatal(err)
	}
	bus := r.Client("x")
	say := func() {
		if err := bus.Publish(t.Context(), edged.Message{Topic: "a"}); err != nil {
			t.Fatal(err)
		}
	}
	say()
	<-entered
	for range 15 {
		say()
	}
	equal(t, "dropped", r.Stats().Dropped, uint64(5))
	close(hold)
}

func TestManyComeAndGoAtOnce(t *testing.T) {
	store := brokertest.NewStore()
	r := brokertest.Start(t, brokertest.With(store))
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range 15 {
				v := versions[n%3]
				x := dial(t, r)
				x.v = v
				if c := (mqtt.Connect{Version: v, ClientID: fmt.Sprint("c", (i+n)%6), CleanStart: n%2 == 1}); v == mqtt.V5 && n%4 == 0 {
					c.Properties = &mqtt.Properties{Has: mqtt.SessionExpiryInterval, SessionExpiryInterval: 1}
					x.send(&c)
				} else {
					x.send(&c)
				}
				_, _ = x.next(50e6) // names are taken over all the time, so it may fail
				b, err := (&mqtt.Subscribe{PacketID: 1, Filters: []mqtt.Filter{{Filter: "t/#", QoS: 2}}}).Append(nil, v)
				if err != nil {
					t.Error(err)
				}
				for q := range byte(3) {
					if b, err = (&mqtt.Publish{Topic: fmt.Sprint("t/", i), QoS: q, PacketID: 7, Retain: n%5 == 0, Payload: []byte("x")}).Append(b, v); err != nil {
						t.Error(err)
					}
				}
				_, _ = x.nc.Write(b) // the connection may have been taken over
				_, _ = x.next(50e6)
				x.nc.Close()
			}
		})
	}
	all.Wait()
	eventually(t, "all are gone", func() bool { return r.Stats().Connected == 0 })
}
