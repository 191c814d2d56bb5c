package bridge

import "time"

// Stats describes the uplink at this moment.
func (u *Uplink) Stats() Stats {
	q := u.o.Queue.Stats()
	u.mu.Lock()
	defer u.mu.Unlock()
	s := u.stats
	s.Backlog, s.BacklogBytes, s.Oldest = q.Messages, q.Bytes, q.Oldest
	return s
}

// count changes a counter.
func (u *Uplink) count(f func(*Stats)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	f(&u.stats)
}

// mark has the state told to the local broker; it does not block.
func (u *Uplink) mark() {
	select {
	case u.changed <- struct{}{}:
	default:
	}
}

func (u *Uplink) setState(s State, problem string) {
	u.count(func(st *Stats) { st.State, st.Since, st.Error = s, time.Now(), problem })
	u.mark()
}

// attempt begins an attempt to connect, and numbers it.
func (u *Uplink) attempt(s *server) (session uint64) {
	u.count(func(st *Stats) {
		st.Session++
		st.Address = s.url.String()
		session = st.Session
		if st.State != Connecting {
			st.State, st.Since = Connecting, time.Now() // Error stays until an attempt succeeds
		}
	})
	u.mark()
	return session
}

// up notes that messages flow.
func (u *Uplink) up(l *link) {
	u.count(func(st *Stats) {
		st.State, st.Since, st.Error = Connected, time.Now(), ""
		st.Connects++
		u.connected = st.Since
	})
	u.mark()
	u.log.Info("the uplink is up", "server", u.Stats().Address, "session", l.session, "session_present", l.conn.SessionPresent())
}

// fail notes why a connection or an attempt failed.
func (u *Uplink) fail(err error) {
	u.count(func(st *Stats) { st.Failures++ })
	u.setState(Waiting, err.Error())
}

// connectedSince is when the last connection was made.
func (u *Uplink) connectedSince() time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.connected
}
