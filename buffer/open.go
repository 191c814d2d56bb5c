package buffer

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/dgraph-io/badger/v4"
	"github.com/edged/edged"
)

// Open opens the store in opts.Dir, or makes it. A store that is damaged never stops the start: what cannot be opened is
// set aside in a folder beside it, and what is missing is logged and told to opts.OnLoss. An error means that the folder
// is in use, or that there is no permission, no space, or a disk that does not answer.
func Open(cfg Config, opts Options) (*Store, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	dir, err := filepath.Abs(opts.Dir)
	if err != nil || opts.Dir == "" {
		return nil, errors.Join(errors.New("the buffer needs a folder"), err)
	}
	s := &Store{
		cfg: cfg, opts: opts, log: opts.Log, dir: dir, maxBytes: uint64(capped(cfg.MaxBytes)),
		stopped: make(chan struct{}), queues: map[string]*queue{}, mortal: map[*queue]bool{}, tail: tail{limit: tailBytes},
	}
	s.in.init()
	if capped(cfg.MaxBytes) < cfg.MaxBytes {
		s.log.Warn("a 32-bit process cannot hold as much as max_bytes says", "max_bytes", cfg.MaxBytes.String(), "used", capped(cfg.MaxBytes).String())
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the buffer's folder: %w", err)
	}
	_, _, _, lock := s.paths()
	if s.lock, err = lockFolder(lock); err != nil {
		return nil, err
	}
	if err := s.open(); err != nil {
		return nil, errors.Join(err, s.lock.release())
	}
	go s.run()
	return s, nil
}

func (s *Store) open() error {
	db, markerPath, ballast, _ := s.paths()
	s.disk = newDisk(db, ballast, uint64(s.cfg.MinFreeDisk))
	if err := os.Chmod(s.dir, 0o700); err != nil {
		return fmt.Errorf("close the buffer's folder to others: %w", err)
	}
	m, markerErr := readMarker(markerPath)
	s.tally.path = filepath.Join(s.dir, "tally")
	var noted []markedQueue
	if m != nil {
		var err error
		if noted, err = readTally(s.tally.path, m); err != nil {
			s.log.Warn("cannot read the tally of the queues", "err", err)
		}
		m.update(noted)
	}
	_, statErr := os.Stat(db)
	c, err := s.openOrReplace(db)
	if err != nil {
		return err
	}
	s.mu.Lock()
	c.rename(m)
	s.adopt(c)
	s.compare(m, noted, c, markerErr, statErr == nil)
	if s.mended && len(s.losses) == 0 {
		s.losses = append(s.losses, edged.Loss{Reason: reasonDamaged}) // perhaps a record; of the messages none is missing
	}
	s.mu.Unlock()
	s.meta.generation++
	s.meta.clean = 0
	err = s.disk.scan()
	if err == nil {
		err = s.mark()
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write to the buffer's folder %s: %w", s.dir, err), s.disk.close(), s.tally.close(), s.db.Close())
	}
	s.disk.loadBallast()
	s.disk.keepSpare()
	s.tellLosses()
	return nil
}

// openOrReplace opens Badger's folder; at the second failure it is set aside, and an empty one made.
func (s *Store) openOrReplace(db string) (*contents, error) {
	if free, err := freeBytes(s.dir); err == nil && free < s.disk.reserve {
		if err := s.disk.dropAll(); err != nil {
			s.log.Warn("cannot remove the ballast files", "err", err)
		}
		if free, err := freeBytes(s.dir); err == nil && free < toOpen {
			return nil, fmt.Errorf("open the buffer in %s: %w: %d bytes are free, and %d are needed; make room, and start edged again", db, edged.ErrDiskFull, free, toOpen)
		}
	}
	for try := 1; ; try++ {
		c, err := s.tryOpen(db)
		if err == nil {
			return c, nil
		}
		if environmental(err) || try == 3 {
			return nil, fmt.Errorf("open the buffer in %s: %w", s.dir, err)
		}
		s.log.Error("cannot open the store", "dir", db, "try", try, "err", err)
		if try == 1 && !errors.Is(err, errDamaged) {
			continue // Badger repairs some things while it fails
		}
		aside := asideName(db)
		if err := os.Rename(db, aside); err != nil {
			return nil, fmt.Errorf("set the damaged store aside: %w", err)
		}
		s.log.Error("the store is damaged; it was set aside, and an empty one is used", "aside", aside)
		try = max(try, 2)
	}
}

func (s *Store) tryOpen(dir string) (*contents, error) {
	if err := inspect(dir); err != nil {
		return nil, err
	}
	mended, err := s.mend(dir)
	if err != nil {
		return nil, err
	}
	s.mended = s.mended || mended
	log := &badgerLog{log: s.log, tripped: &s.tripped}
	var db *badger.DB
	err = safely(func() (err error) {
		db, err = badger.Open(badgerOptions(dir, log))
		return err
	})
	if err != nil {
		return nil, err
	}
	c, err := load(db)
	if err != nil {
		return nil, errors.Join(err, safely(db.Close))
	}
	log.armed.Store(true)
	s.db = db
	return c, nil
}

// environmental says whether an error is about the machine, not the store. Badger does not always wrap its causes, so
// their text is looked for too.
func environmental(err error) bool {
	for _, e := range []syscall.Errno{syscall.EACCES, syscall.EPERM, syscall.ENOSPC, syscall.EROFS, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM} {
		if errors.Is(err, e) || strings.Contains(err.Error(), e.Error()) {
			return true
		}
	}
	return false
}

// shutdown closes what Open opened, after the committer has ended.
func (s *Store) shutdown() error {
	failed := s.usableNow()
	err := errors.Join(s.disk.close(), s.tally.close())
	err = errors.Join(err, safely(s.db.Close))
	if failed != nil {
		err = failed
	}
	return errors.Join(err, s.lock.release())
}
