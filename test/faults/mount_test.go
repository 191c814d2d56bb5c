package faults

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/edged/edged/test/peers"
)

// ram mounts a file system of so many bytes in memory.
func ram(t *testing.T, size string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	mount(t, dir, "-t", "tmpfs", "-o", "size="+size, "tmpfs")
	return dir
}

// mount mounts at dir, and unmounts when the test ends.
func mount(t *testing.T, dir string, args ...string) {
	t.Helper()
	if os.Geteuid() != 0 || os.Getenv(inside) == "" {
		t.Fatal("this test mounts a file system of its own and so needs root; run it with sudo")
	}
	peers.Run(t, "mount", append(args, dir)...)
	t.Cleanup(func() {
		// A test that failed may have left edged running there. The namespace ends with the tests, so nothing stays behind.
		_ = unix.Unmount(dir, unix.MNT_DETACH)
	})
}

// disk is an ext4 file system in a file, whose power can be cut.
type disk struct {
	image, dir string
}

func ext4(t *testing.T, size int64) *disk {
	t.Helper()
	folder := t.TempDir()
	d := &disk{image: filepath.Join(folder, "image"), dir: filepath.Join(folder, "mnt")}
	f, err := os.Create(d.image)
	if err == nil {
		err = f.Truncate(size)
		f.Close()
	}
	if err == nil {
		err = os.Mkdir(d.dir, 0o700)
	}
	if err != nil {
		t.Fatal(err)
	}
	peers.Run(t, "mkfs.ext4", "-q", "-E", "lazy_itable_init=0", d.image)
	d.mount(t)
	return d
}

func (d *disk) mount(t *testing.T) {
	t.Helper()
	mount(t, d.dir, "-o", "loop", d.image)
}

// shutdown is EXT4_IOC_SHUTDOWN, _IOR('X', 125, __u32), and its mode in which not even the journal is flushed (fs/ext4/ext4.h).
const (
	shutdown   = 0x8004587d
	noLogFlush = 2
)

// cut ends all writing to the disk at once: what was not flushed by now is gone.
func (d *disk) cut(t *testing.T) {
	t.Helper()
	f, err := os.Open(d.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := unix.IoctlSetPointerInt(int(f.Fd()), shutdown, noLogFlush); err != nil {
		t.Fatalf("cut the power of %s: %v", d.dir, err)
	}
}

// restore mounts the disk again, as after a power cut. Nobody may use it any more.
func (d *disk) restore(t *testing.T) {
	t.Helper()
	peers.Run(t, "umount", d.dir)
	d.mount(t)
}

// TestPowerIsCut: what was flushed survives, what was not is gone. Without that the test of edged would say nothing.
func TestPowerIsCut(t *testing.T) {
	d := ext4(t, 32<<20)
	for _, name := range []string{"flushed", "written"} {
		f, err := os.Create(filepath.Join(d.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString("x"); err != nil {
			t.Fatal(err)
		}
		if name == "flushed" {
			if err := f.Sync(); err != nil {
				t.Fatal(err)
			}
		}
		f.Close()
	}
	d.cut(t)
	if err := os.WriteFile(filepath.Join(d.dir, "late"), nil, 0o600); err == nil {
		t.Error("a file was made on a disk without power")
	}
	d.restore(t)
	if b, err := os.ReadFile(filepath.Join(d.dir, "flushed")); err != nil || string(b) != "x" {
		t.Errorf("what was flushed: %q, %v", b, err)
	}
	if b, err := os.ReadFile(filepath.Join(d.dir, "written")); err == nil && len(b) > 0 {
		t.Error("what was not flushed survived: the power cut is none")
	}
}
