package gateway

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/edged/edged"
	"github.com/edged/edged/configs"
	"github.com/edged/edged/devices"
)

// ErrRestart says that the new configuration differs in a section that a running edged cannot change.
var ErrRestart = errors.New("needs a restart")

// Reload changes what runs to cfg: devices and uplinks that are new, gone or different are started, stopped or both; the others are not
// touched. cfg is checked, and everything new is built, before anything stops: on an error nothing was changed. It returns a line for each
// change.
func (g *Gateway) Reload(cfg *configs.Config) (changes []string, err error) {
	if err := cfg.Check(Drivers()); err != nil {
		return nil, err
	}
	select {
	case <-g.ready:
	default:
		return nil, errors.New("edged is still starting; reload again")
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.fixed(cfg); err != nil {
		return nil, err
	}
	p, err := g.plan(cfg)
	if err != nil {
		return nil, fmt.Errorf("nothing was changed: %w", err)
	}
	changes, err = g.apply(p)
	g.cfg = cfg
	return changes, err
}

// plan is what a reload will do: stop what is gone or replaced, start what is new. Of what changes both hold the name.
type plan struct {
	goneDevices, goneUplinks []string
	devices                  []*device
	uplinks                  []*uplink
}

// plan builds what cfg adds or changes.
func (g *Gateway) plan(cfg *configs.Config) (p plan, err error) {
	wantDevices, wantUplinks := make(map[string]bool), make(map[string]bool)
	for _, c := range cfg.Devices {
		wantDevices[c.Name] = true
		if old := g.devices[c.Name]; old != nil && sameDevice(old.cfg, c) {
			continue
		}
		d, err := g.newDevice(c)
		if err != nil {
			return plan{}, err
		}
		p.devices = append(p.devices, d)
	}
	for _, c := range cfg.Uplinks {
		wantUplinks[c.Name] = true
		if old := g.uplinks[c.Name]; old != nil && reflect.DeepEqual(old.cfg, c) {
			continue
		}
		u, err := g.newUplink(c)
		if err != nil {
			return plan{}, err
		}
		p.uplinks = append(p.uplinks, u)
	}
	p.goneDevices, p.goneUplinks = missing(g.devices, wantDevices), missing(g.uplinks, wantUplinks)
	return p, nil
}

// apply stops producers before consumers, and starts them after.
func (g *Gateway) apply(p plan) (changes []string, err error) {
	var producers, links []*running
	for _, name := range p.goneDevices {
		producers = append(producers, g.devices[name].running)
		changes = append(changes, "device "+name+" removed")
	}
	for _, d := range p.devices {
		if old := g.devices[d.cfg.Name]; old != nil {
			producers = append(producers, old.running)
		}
	}
	for _, name := range p.goneUplinks {
		links = append(links, g.uplinks[name].running)
		changes = append(changes, "uplink "+name+" removed; what waits in its queue is kept until an uplink of that name is back")
	}
	for _, u := range p.uplinks {
		if old := g.uplinks[u.cfg.Name]; old != nil {
			links = append(links, old.running)
		}
	}
	stopAll(producers)
	stopAll(links)
	for _, name := range p.goneDevices {
		delete(g.devices, name)
	}
	for _, name := range p.goneUplinks {
		g.uplinks[name].detach()
		delete(g.uplinks, name)
	}
	for _, u := range p.uplinks {
		changes = append(changes, "uplink "+u.cfg.Name+verb(g.uplinks[u.cfg.Name] != nil))
		if attached := g.attach(u); attached != nil {
			err = errors.Join(err, attached)
			continue
		}
		u.running = start(u.task, g.ended)
	}
	for _, d := range p.devices {
		changes = append(changes, "device "+d.cfg.Name+verb(g.devices[d.cfg.Name] != nil))
		d.running = start(d.task, g.deviceEnded)
		g.devices[d.cfg.Name] = d
	}
	return changes, err
}

// fixed says which sections differ that are read at the start only.
func (g *Gateway) fixed(cfg *configs.Config) error {
	var sections []string
	for _, s := range []struct {
		name     string
		old, new any
	}{
		{"id", g.cfg.ID, cfg.ID}, {"data_dir", g.cfg.DataDir, cfg.DataDir}, {"log", g.cfg.Log, cfg.Log},
		{"broker", g.cfg.Broker, cfg.Broker}, {"buffer", g.cfg.Buffer, cfg.Buffer},
	} {
		if !reflect.DeepEqual(s.old, s.new) {
			sections = append(sections, s.name)
		}
	}
	if len(sections) == 0 {
		return nil
	}
	return fmt.Errorf("a change of %s %w of edged; nothing was changed", strings.Join(sections, ", "), ErrRestart)
}

func verb(was bool) string {
	if was {
		return " changed"
	}
	return " added"
}

// missing lists the names that run and are not wanted, in order.
func missing[T any](running map[string]T, wanted map[string]bool) (names []string) {
	for name := range running {
		if !wanted[name] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// sameDevice compares what was written, not where in the file it stands.
func sameDevice(a, b devices.Config) bool {
	return a.Common == b.Common && reflect.DeepEqual(written(a.Raw), written(b.Raw))
}

func written(raw edged.Raw) (tree any) {
	if raw == nil || raw.Decode(&tree) != nil {
		return nil
	}
	return tree
}
