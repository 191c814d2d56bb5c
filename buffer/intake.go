package buffer

import (
	"sync"

	"github.com/edged/edged"
)

// opKind is what the committer is asked to do.
type opKind byte

const (
	opBatch opKind = iota
	opReceived
	opDelete
)

// op waits for the committer.
type op struct {
	kind  opKind
	batch edged.Batch
	queue *queue // opReceived, opDelete
	seq   uint64 // opReceived
	done  func(error)
	err   error // refused already; told when it is its turn
	cost  int   // bytes it holds in memory, about
	keys  int   // entries of a transaction, about
	small int   // bytes that count against Badger's limit of a transaction, about
}

// Bounds of the intake, and of what is committed together. Badger takes some 1,600 entries and 157 KB of small values
// in one transaction; message bytes are in the value log and don't count.
const (
	intakeOps   = 4096
	intakeBytes = 8 << 20
	groupOps    = 1024
	groupBytes  = 100 << 10
	groupKeys   = 700
	groupSmall  = 64 << 10
)

// intake is the bounded line before the committer.
type intake struct {
	mu     sync.Mutex
	space  sync.Cond
	ops    []*op
	bytes  int
	closed bool
	wake   chan struct{}
}

func (in *intake) init() {
	in.space.L = &in.mu
	in.wake = make(chan struct{}, 1)
}

// put appends o, waiting for space; after close, o is done at once with ErrClosed.
func (in *intake) put(o *op) {
	in.mu.Lock()
	for !in.closed && len(in.ops) > 0 && (len(in.ops) >= intakeOps || in.bytes+o.cost > intakeBytes) {
		in.space.Wait()
	}
	if in.closed {
		in.mu.Unlock()
		if o.done != nil {
			o.done(edged.ErrClosed)
		}
		return
	}
	in.ops = append(in.ops, o)
	in.bytes += o.cost
	first := len(in.ops) == 1
	in.mu.Unlock()
	if first {
		in.poke()
	}
}

// poke wakes the committer.
func (in *intake) poke() {
	select {
	case in.wake <- struct{}{}:
	default:
	}
}

// next takes what is to be committed together, and says whether the intake is closed and empty.
func (in *intake) next() (ops []*op, finished bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	var bytes, keys, small int
	for n, o := range in.ops {
		if n > 0 && (n == groupOps || bytes >= groupBytes || keys+o.keys > groupKeys || small+o.small > groupSmall) {
			break
		}
		ops = append(ops, o)
		bytes, keys, small = bytes+o.cost, keys+o.keys, small+o.small
		in.bytes -= o.cost
	}
	rest := copy(in.ops, in.ops[len(ops):])
	clear(in.ops[rest:])
	in.ops = in.ops[:rest]
	in.space.Broadcast()
	return ops, in.closed && len(in.ops) == 0
}

func (in *intake) close() {
	in.mu.Lock()
	in.closed = true
	in.space.Broadcast()
	in.mu.Unlock()
	in.poke()
}
