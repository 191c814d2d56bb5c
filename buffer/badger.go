package buffer

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
)

// valueThreshold is the size from which Badger puts a value into its value log.
const valueThreshold = 1 << 10

// badgerOptions make Badger small: little memory, short files that are unlinked whole once drained, and few bytes
// written to the device. Badger's own SyncWrites stays off, because it only logs when the sync of the value log fails;
// the store flushes the files itself (see disk), and sees each error.
func badgerOptions(dir string, log badger.Logger) badger.Options {
	o := badger.DefaultOptions(dir).WithLogger(log).
		WithMemTableSize(1 << 20).WithNumMemtables(2).
		WithBaseTableSize(512 << 10).WithBaseLevelSize(4 << 20).
		WithNumLevelZeroTables(2).WithNumLevelZeroTablesStall(8).WithNumCompactors(2).
		WithValueThreshold(valueThreshold).WithValueLogFileSize(4 << 20).
		WithCompression(options.None).WithBlockCacheSize(0).WithIndexCacheSize(0).
		WithDetectConflicts(false).WithMetricsEnabled(false).
		WithNumGoroutines(1).WithNumVersionsToKeep(1).
		WithVerifyValueChecksum(true).WithChecksumVerificationMode(options.OnBlockRead).
		WithCompactL0OnClose(true).WithSyncWrites(false)
	if strconv.IntSize == 32 {
		// The allocator of Badger's table builder (ristretto v2.2.0 z.Allocator) begins again at its first buffer when
		// that is full, since it shifts an int by 32, and so destroys the table. Its first buffer is twice the table
		// size of the level, or what another level left behind: one size for all, big enough for a whole memtable.
		o.BaseTableSize, o.TableSizeMultiplier = 2<<20, 1
	}
	return o
}

// badgerLog passes on what Badger says, and tells of errors that Badger itself shrugs off.
type badgerLog struct {
	log     *slog.Logger
	armed   atomic.Bool // the store is open
	tripped *atomic.Pointer[error]
}

func (l *badgerLog) Errorf(format string, args ...any) {
	text := strings.TrimSpace(fmt.Sprintf(format, args...))
	l.log.Error("badger: " + text)
	for _, reading := range []string{"Unable to read:", "Key: ", "Invalid read:"} {
		if strings.HasPrefix(format, reading) {
			return // whoever reads gets the error too, and knows what it costs
		}
	}
	if l.armed.Load() {
		// Whatever goes wrong in its background work, a flush or a compaction, may cost what is acknowledged later.
		err := fmt.Errorf("badger: %s", text)
		l.tripped.CompareAndSwap(nil, &err)
	}
}

func (l *badgerLog) Warningf(format string, args ...any) {
	l.log.Warn("badger: " + strings.TrimSpace(fmt.Sprintf(format, args...)))
}

func (l *badgerLog) Infof(string, ...any)  {}
func (l *badgerLog) Debugf(string, ...any) {}

// safely turns a panic or a fault of f into an error: a damaged table makes Badger's iterators panic, and a mapped file
// that lost its blocks faults.
func safely(f func() error) (err error) {
	old := debug.SetPanicOnFault(true)
	defer debug.SetPanicOnFault(old)
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: badger panicked: %v", errDamaged, p)
		}
	}()
	return f()
}
