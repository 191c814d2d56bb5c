package broker

// event is something that happens once. Its channel exists only where somebody waits.
type event struct {
	done bool
	wake chan struct{}
}

// wait returns a channel that is closed when e has happened.
func (c *conn) wait(e *event) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.wake == nil {
		e.wake = make(chan struct{})
		if e.done {
			close(e.wake)
		}
	}
	return e.wake
}

func (c *conn) happened(e *event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e.done = true
	if e.wake != nil {
		close(e.wake)
	}
}
