package broker

import (
	"net"
	"net/netip"
)

// door counts the connections that are open. The broker's mutex guards it.
type door struct {
	connecting int // have not finished their CONNECT
	addresses  map[netip.Addr]int
}

// admit starts to serve a connection, unless there are too many. One that is refused costs nothing but its socket.
func (b *Broker) admit(nc net.Conn, w *way) {
	b.stats.connections.Add(1)
	from := addressOf(nc.RemoteAddr())
	b.mu.Lock()
	limit := b.full(from)
	refer := limit == fullHouse && b.refers(from)
	if (limit == "" || refer) && !b.stopping {
		c := b.newConn(nc, w)
		c.address, c.connecting, c.referred = from, true, refer
		b.conns[c] = struct{}{}
		b.door.connecting++
		b.door.addresses[from]++
		b.running.Go(c.serve)
		b.mu.Unlock()
		return
	}
	b.mu.Unlock()
	if limit != "" {
		n := b.stats.refused.Add(1)
		if n&(n-1) == 0 {
			b.log.Warn("connection refused: too many; raise "+limit, "remote", nc.RemoteAddr().String(), "refused so far", n)
		}
	}
	_ = nc.Close() // it was never used
}

// full names the limit that keeps out one more connection from an address. b.mu is held.
func (b *Broker) full(from netip.Addr) string {
	switch l := &b.cfg.Limits; {
	case len(b.conns) >= l.Connections:
		return fullHouse
	case b.door.connecting >= l.Connecting:
		return "broker.limits.connecting"
	case b.door.addresses[from] >= l.ConnectionsPerAddress:
		return "broker.limits.connections_per_address"
	}
	return ""
}

// readdress counts c at another address than its socket's: the one that a proxy has told. False: there are too many of it.
func (b *Broker) readdress(c *conn, told net.Addr) bool {
	to := addressOf(told)
	b.mu.Lock()
	defer b.mu.Unlock()
	if to == c.address {
		return true
	}
	if b.door.addresses[to] >= b.cfg.Limits.ConnectionsPerAddress {
		return false
	}
	b.door.leave(c.address)
	c.address = to
	b.door.addresses[to]++
	return true
}

// greeted: c has finished its CONNECT.
func (b *Broker) greeted(c *conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c.connecting = false
	b.door.connecting--
}

// forget: c is over.
func (b *Broker) forget(c *conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.conns, c)
	if c.connecting {
		b.door.connecting--
	}
	b.door.leave(c.address)
}

func (d *door) leave(a netip.Addr) {
	if d.addresses[a]--; d.addresses[a] <= 0 {
		delete(d.addresses, a)
	}
}

// addressOf is what counts as one address: that of IPv4, or the 64 bits of an IPv6 network, in which one machine can have as
// many as it likes. Sockets without addresses, such as those in the file system, count as one.
func addressOf(a net.Addr) netip.Addr {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	ip := t.AddrPort().Addr().Unmap().WithZone("")
	if ip.Is6() {
		if p, err := ip.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return ip
}
