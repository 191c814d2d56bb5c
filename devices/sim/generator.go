package sim

import (
	"math"
	"math/rand/v2"
	"time"
)

// generator makes the value of round n, which is at time t of the simulation. Rounds come in order, none is left out.
type generator func(n int64, t time.Duration) any

// newGenerator makes the generator of p, which has been checked; stream keeps the walks of one seed apart.
func newGenerator(p Point, seed, stream uint64) generator {
	span := p.Max - p.Min
	switch p.Generator {
	case "counter":
		return func(n int64, _ time.Duration) any { return p.Start + n }
	case "sine":
		return func(_ int64, t time.Duration) any {
			return short(p.Min + span/2*(1+math.Sin(2*math.Pi*phase(t, p.Period))))
		}
	case "ramp":
		return func(_ int64, t time.Duration) any { return short(p.Min + span*phase(t, p.Period)) }
	default: // walk
		random := rand.New(rand.NewPCG(seed, stream))
		at := p.Min + span/2
		return func(int64, time.Duration) any {
			at = min(max(at+p.Step*(2*random.Float64()-1), p.Min), p.Max)
			return short(at)
		}
	}
}

// phase is how far t is in its period, 0 to 1.
func phase(t, period time.Duration) float64 { return float64(t%period) / float64(period) }

// short rounds to three decimals, as a real device would not say more.
func short(f float64) float64 {
	if r := math.Round(f*1000) / 1000; !math.IsInf(r, 0) {
		return r
	}
	return f
}
