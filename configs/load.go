package configs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/edged/edged/bridge"
	"github.com/edged/edged/devices"
)

// maxParts is the number of files in conf.d that are read.
const maxParts = 100

// Load reads the file at path and the files of conf.d beside it. When the configuration is not nil beside an error, its
// Check reports that error's mistakes, too; a nil one could not be read at all.
func Load(path string) (*Config, error) {
	data, err := read(path)
	if err != nil {
		return nil, err
	}
	l := loader{}
	l.add(path, data)
	dir := filepath.Join(filepath.Dir(path), "conf.d")
	parts, err := os.ReadDir(dir) // sorted by name
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the files beside %s: %w", path, err)
	}
	for _, part := range parts {
		if part.IsDir() || !strings.HasSuffix(part.Name(), ".yaml") || strings.HasPrefix(part.Name(), ".") {
			continue
		}
		if len(l.files) > maxParts {
			return nil, fmt.Errorf("%s has more than %d files; put them together into fewer", dir, maxParts)
		}
		name := filepath.Join(dir, part.Name())
		if data, err = read(name); err != nil {
			return nil, err
		}
		l.add(name, data)
	}
	return l.config()
}

// Parse reads one configuration; name stands for it in messages. Its results are as those of Load.
func Parse(name string, data []byte) (*Config, error) {
	l := loader{}
	l.add(name, data)
	return l.config()
}

// read reads a file, and one byte more than allowed, which parseTree then refuses.
func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	return data, errors.Join(err, f.Close())
}

// loader collects files.
type loader struct {
	root     *node
	files    []string
	mistakes []*Error
	broken   bool // a file is no YAML: there is nothing to decode
}

func (l *loader) add(name string, data []byte) {
	root, errs := parseTree(name, data)
	l.files = append(l.files, name)
	l.mistakes = append(l.mistakes, errs...)
	l.broken = l.broken || len(errs) > 0 && root == nil
	if root != nil {
		l.root = merge(l.root, root)
	}
}

func (l *loader) config() (*Config, error) {
	if l.broken {
		return nil, join(l.mistakes, l.files)
	}
	c := Default()
	c.root, c.files = l.root, l.files
	d := newDecoder()
	if l.root != nil {
		d.value(l.root, reflect.ValueOf(c).Elem(), "")
	}
	c.resolve(filepath.Dir(l.files[0]))
	c.mistakes, c.failed = append(l.mistakes, d.errs...), d.failed
	return c, join(slices.Clone(c.mistakes), c.files)
}

// newDecoder knows how the parts' list elements begin, and what this version has not yet.
func newDecoder() *decoder {
	return &decoder{
		planned: planned,
		failed:  make(map[string]bool),
		defaults: map[reflect.Type]func() reflect.Value{
			reflect.TypeFor[bridge.Config]():  func() reflect.Value { return reflect.ValueOf(bridge.DefaultConfig()) },
			reflect.TypeFor[devices.Config](): func() reflect.Value { return reflect.ValueOf(devices.DefaultConfig()) },
		},
	}
}
