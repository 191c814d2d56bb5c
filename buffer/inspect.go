package buffer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/table"
	"github.com/dgraph-io/ristretto/v2/z"
)

// inspect looks, before Badger does, for what Badger would silently take for an empty store, and for what would make it
// panic in a goroutine of its own, where nobody can recover.
func inspect(dir string) error {
	names, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	data := false
	for _, n := range names {
		ext := filepath.Ext(n.Name())
		if ext != ".mem" && ext != ".vlog" && ext != ".sst" {
			continue
		}
		data = true
		if st, err := n.Info(); err == nil && st.Size() == 0 && ext != ".sst" {
			// A power cut right after it was made leaves it so. Badger would refuse to open the store.
			if err := os.Remove(filepath.Join(dir, n.Name())); err != nil {
				return err
			}
		}
	}
	if !data {
		return nil
	}
	tables, err := listedTables(filepath.Join(dir, badger.ManifestFilename), dir)
	if err != nil {
		return err
	}
	for _, name := range tables {
		if err := inspectTable(name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// listedTables reads the list of tables. Without it Badger would begin a new one, and delete all tables.
func listedTables(manifest, dir string) (names []string, err error) {
	f, err := os.Open(manifest)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%w: there are data files, but no %s", errDamaged, manifest)
	}
	m, _, err := badger.ReplayManifestFile(f, 0, badgerOptions(dir, nil))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", errDamaged, manifest, err)
	}
	for id := range m.Tables {
		names = append(names, table.NewFilename(id, dir))
	}
	return names, nil
}

// inspectTable reads a table and compares all its checksums.
func inspectTable(name string) error {
	st, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && st.Size() == 0 {
		return fmt.Errorf("%w: a table is missing or empty", errDamaged)
	}
	if err != nil {
		return err
	}
	mapped, err := z.OpenMmapFile(name, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	err = safely(func() error {
		t, err := table.OpenTable(mapped, table.Options{})
		if err == nil {
			err = t.VerifyChecksum()
		}
		if err != nil {
			err = fmt.Errorf("%w: %w", errDamaged, err)
		}
		return err
	})
	return errors.Join(err, mapped.Close(-1))
}
