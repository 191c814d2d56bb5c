package buffer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// disk keeps Badger's mapped files from ever meeting a full disk, which would be a SIGBUS that kills the process, and
// flushes them.
//
//	Dir/db/00012.mem      write-ahead log of the newest memtable: each commit ends here
//	Dir/db/000034.vlog    newest value log: values of 1 KiB and more
//	Dir/ballast           8 MiB that are let go when the disk gets full, for acknowledgements and compaction
//	Dir/ballast.start     8 MiB that are let go at a start on a full disk: what was let go before, others have taken
type disk struct {
	dir     string // Badger's folder
	ballast string
	spare   string
	reserve uint64

	mem, vlog     *os.File // the files that commits go to
	memID, vlogID int
	vlogDirty     bool
	retired       []*os.File // rotated away since the last sync
	newFiles      bool       // the folder itself wants a sync
}

const ballastSize = 8 << 20

func newDisk(dir, ballast string, reserve uint64) *disk {
	return &disk{dir: dir, ballast: ballast, spare: ballast + ".start", reserve: reserve}
}

func freeBytes(dir string) (uint64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("free space of %s: %w", dir, err)
	}
	return st.Bavail * uint64(st.Bsize), nil
}

// room is how much may be written.
type room int

const (
	roomNone   room = iota // nothing at all: even an acknowledgement could meet a full disk
	roomNarrow             // acknowledgements and deletions, which make room
	roomPlenty
)

// room looks before a commit of size bytes.
func (d *disk) room(size int) room {
	free, err := freeBytes(d.dir)
	switch {
	case err != nil || free < d.reserve/4:
		return roomNone
	case free < d.reserve+uint64(size):
		return roomNarrow
	}
	return roomPlenty
}

// dropBallast makes a little room on a full disk.
func (d *disk) dropBallast() error { return drop(d.ballast) }

// dropAll makes all the room there is to make, for a start.
func (d *disk) dropAll() error { return errors.Join(drop(d.ballast), drop(d.spare)) }

func drop(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// toOpen is what Badger needs at most to open: it writes the memtables that it finds to tables, of which it maps the files.
const toOpen = 4 << 20

// keepSpare makes the file that the next start on a full disk can let go, unless acknowledgements need that space now.
func (d *disk) keepSpare() {
	if _, err := os.Stat(d.spare); err == nil {
		return
	}
	if free, err := freeBytes(d.dir); err != nil || free < ballastSize+d.reserve/2 {
		return
	}
	_ = d.load(d.spare, ballastSize) // a convenience: its failure is none
}

// load makes a file that only takes up space.
func (d *disk) load(name string, size int64) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	err = allocate(f, size)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, drop(name))
	}
	return nil
}

// loadBallast makes the ballast file while there is plenty of space. It is a convenience: its failure is none.
func (d *disk) loadBallast() {
	if _, err := os.Stat(d.ballast); err == nil {
		return
	}
	if free, err := freeBytes(d.dir); err != nil || free < d.reserve+2*ballastSize {
		return
	}
	if d.load(d.ballast, ballastSize) == nil {
		d.keepSpare()
	}
}

// allocate gives a file all its blocks. A file system that cannot do that is left alone.
func allocate(f *os.File, size int64) error {
	err := unix.Fallocate(int(f.Fd()), 0, 0, size)
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) {
		return nil
	}
	return err
}

// scan finds the newest files from nothing, after Badger was opened or did its maintenance.
func (d *disk) scan() error {
	names, err := os.ReadDir(d.dir)
	if err != nil {
		return err
	}
	mem, vlog := 0, 0
	for _, n := range names {
		base, ext, _ := strings.Cut(n.Name(), ".")
		id, err := strconv.Atoi(base)
		if err != nil {
			continue
		}
		switch ext {
		case "mem":
			mem = max(mem, id)
		case "vlog":
			vlog = max(vlog, id)
		}
	}
	d.vlogDirty = true
	if f, err := os.OpenFile(filepath.Join(d.dir, "DISCARD"), os.O_RDWR, 0); err == nil {
		err = errors.Join(d.prepare(f), f.Close())
		if err != nil {
			return err
		}
	}
	return errors.Join(d.adopt(&d.mem, &d.memID, mem, memName), d.adopt(&d.vlog, &d.vlogID, vlog, vlogName))
}

func memName(id int) string  { return fmt.Sprintf("%05d.mem", id) }
func vlogName(id int) string { return fmt.Sprintf("%06d.vlog", id) }

// follow finds the files that a commit has rotated to. Badger numbers them one by one.
func (d *disk) follow() error {
	return errors.Join(d.followOne(&d.mem, &d.memID, memName), d.followOne(&d.vlog, &d.vlogID, vlogName))
}

func (d *disk) followOne(file **os.File, id *int, name func(int) string) error {
	for {
		if _, err := os.Stat(filepath.Join(d.dir, name(*id+1))); err != nil {
			return nil
		}
		if err := d.adopt(file, id, *id+1, name); err != nil {
			return err
		}
	}
}

// adopt makes the file with that number the one that is flushed from now on.
func (d *disk) adopt(file **os.File, id *int, n int, name func(int) string) error {
	if *file != nil && *id == n {
		return nil
	}
	f, err := os.OpenFile(filepath.Join(d.dir, name(n)), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if *file != nil {
		d.retired = append(d.retired, *file)
		// Maintenance may have filled several files at a stretch.
		for between := *id + 1; between < n; between++ {
			b, err := os.OpenFile(filepath.Join(d.dir, name(between)), os.O_RDWR, 0)
			if errors.Is(err, fs.ErrNotExist) {
				continue // written to a table already
			}
			if err != nil {
				return errors.Join(err, f.Close())
			}
			d.retired = append(d.retired, b)
		}
	}
	*file, *id, d.newFiles = f, n, true
	return d.prepare(f)
}

// prepare closes a new file to others and gives it its blocks.
func (d *disk) prepare(f *os.File) error {
	if err := f.Chmod(0o600); err != nil {
		return err
	}
	st, err := f.Stat()
	if err != nil {
		return err
	}
	err = allocate(f, st.Size())
	if errors.Is(err, unix.ENOSPC) {
		return nil // it was made within the reserve, and nothing more comes in below that
	}
	return err
}

// sync brings all commits so far to the disk. A failure is final: the kernel may have dropped the pages.
func (d *disk) sync() error {
	if d.newFiles {
		if err := syncFolder(d.dir); err != nil {
			return err
		}
		d.newFiles = false
	}
	for _, f := range d.retired {
		if err := errors.Join(flush(f), f.Close()); err != nil {
			return err
		}
	}
	d.retired = nil
	if d.vlogDirty {
		if err := flush(d.vlog); err != nil {
			return err
		}
		d.vlogDirty = false
	}
	return flush(d.mem)
}

// flush writes a file's dirty pages, those of Badger's mapping too, and waits for the device.
func flush(f *os.File) error {
	for {
		err := unix.Fdatasync(int(f.Fd()))
		if !errors.Is(err, unix.EINTR) {
			if err != nil {
				return fmt.Errorf("flush %s: %w", f.Name(), err)
			}
			return nil
		}
	}
}

func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// close lets go of the files without flushing them.
func (d *disk) close() error {
	var errs []error
	for _, f := range append(d.retired, d.mem, d.vlog) {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	d.retired, d.mem, d.vlog = nil, nil, nil
	return errors.Join(errs...)
}
