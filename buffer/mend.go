package buffer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// mend looks into the write-ahead logs before Badger does: it would drop all that follows the first bad byte, and say
// nothing. A damaged log is copied aside, and replaced by one that holds all its valid records. It says whether there
// was damage.
func (s *Store) mend(db string) (damaged bool, err error) {
	names, err := filepath.Glob(filepath.Join(db, "*.mem"))
	if err != nil {
		return false, err
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			return damaged, err
		}
		c := readWAL(b)
		if !c.damaged() {
			continue
		}
		damaged = true
		s.log.Error("a write-ahead log of the store is damaged; its readable records are kept", "file", name,
			"records", len(c.records), "unreadable_bytes", c.bad, "cut", c.cut)
		if err := s.copyAside(db, name, b); err != nil {
			s.log.Error("cannot keep a copy of the damaged file", "file", name, "err", err)
		}
		if err := replaceFile(name, c.mended(b)); err != nil {
			return damaged, fmt.Errorf("mend a write-ahead log: %w", err)
		}
	}
	return damaged, nil
}

// copyAside keeps a file as it was found in a folder of its own, if the disk has room.
func (s *Store) copyAside(db, name string, b []byte) error {
	free, err := freeBytes(s.dir)
	if err != nil {
		return err
	}
	if free < s.disk.reserve+uint64(len(b)) {
		return fmt.Errorf("only %d bytes are free", free)
	}
	aside := asideName(db) + "-log" // its own, should the store be set aside too
	if err := os.MkdirAll(aside, 0o700); err != nil {
		return err
	}
	s.log.Error("the damaged file was copied aside", "aside", aside)
	return os.WriteFile(filepath.Join(aside, filepath.Base(name)), b, 0o600)
}

// asideName is a folder for what is damaged.
func asideName(db string) string {
	return fmt.Sprintf("%s.damaged-%s", db, time.Now().UTC().Format("20060102T150405.000"))
}

// replaceFile writes a file so that a power cut leaves the old one or the new one.
func replaceFile(path string, b []byte) error {
	aside := path + ".new"
	f, err := os.OpenFile(aside, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(aside, path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}
