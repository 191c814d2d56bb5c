package edged

import "context"

// Publisher accepts messages for whoever wants them.
type Publisher interface {
	// Publish returns nil once every one of msgs is kept for all its durable subscribers and has been handed to the
	// live ones. On an error none, some or all of them may have been. Messages of one caller keep their order.
	Publish(ctx context.Context, msgs ...Message) error
}

// Bus is a broker as a client inside the process sees it.
type Bus interface {
	Publisher
	// Subscribe returns when the subscription is in force; it ends when ctx is done. h gets its retained messages
	// first, then live ones, one at a time and in order. A handler that lags by more than the bus's bound loses
	// messages, which the bus counts: what must not be lost goes through a Queue.
	Subscribe(ctx context.Context, s Subscription, h Handler) error
}

// Handler takes one message. It must not change it, and should not block for long.
type Handler func(Message)

// Subscription says which messages a subscriber wants, and how (MQTT 5.0 §3.8.3.1).
type Subscription struct {
	// Filter is a topic filter, with + and # as wildcards.
	Filter string
	// QoS is the highest level at which messages are delivered.
	QoS QoS
	// NoLocal leaves out messages whose From is the subscriber itself.
	NoLocal bool
	// RetainAsPublished keeps the publisher's RETAIN flag on live messages.
	RetainAsPublished bool
	// RetainHandling: 0 sends retained messages at each subscribe, 1 only at a new subscription, 2 never.
	RetainHandling byte
	// Identifier is the subscription identifier, 1 to 268,435,455; 0: none.
	Identifier uint32
}
