package configs

import (
	"encoding"
	"fmt"
	"reflect"
	"strings"

	"github.com/edged/edged"
)

// decoder fills Go values from a tree and collects every mistake.
type decoder struct {
	errs []*Error
	// defaults makes a new list or map element of a type, and a new value for a pointer; others begin as zero.
	defaults map[reflect.Type]func() reflect.Value
	// failed holds the paths that have no value because of a mistake.
	failed map[string]bool
	// planned says what to answer to a key that the contract has and this version has not; empty: unknown.
	planned func(path string) string
}

// SetDefaulter is implemented by (pointers to) elements of lists and maps that do not begin as zero.
type SetDefaulter interface{ SetDefaults() }

var (
	rawType  = reflect.TypeFor[edged.Raw]()
	textType = reflect.TypeFor[encoding.TextUnmarshaler]()
)

func (d *decoder) fail(n *node, path, format string, args ...any) {
	if d.failed == nil {
		d.failed = make(map[string]bool)
	}
	d.failed[path] = true
	d.add(n.errorf(path, format, args...))
}

// add keeps an error, and one more than are shown.
func (d *decoder) add(e *Error) {
	if len(d.errs) <= maxErrors {
		d.errs = append(d.errs, e)
	}
}

// value decodes n into v, which can be set. Nothing written (`key:` or ~) leaves v as it is.
func (d *decoder) value(n *node, v reflect.Value, path string) {
	if n.kind == null {
		return
	}
	if n.problem != "" {
		d.fail(n, path, "%s", n.problem)
		return
	}
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(d.fresh(v.Type().Elem()).Addr())
		}
		d.value(n, v.Elem(), path)
		return
	}
	if v.Type() == rawType {
		v.Set(reflect.ValueOf(&raw{node: n, path: path, base: d}))
		return
	}
	if v.CanAddr() && v.Addr().Type().Implements(textType) {
		d.text(n, v, path)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.structure(n, v, path)
	case reflect.Slice, reflect.Array:
		d.list(n, v, path)
	case reflect.Map:
		d.mapping(n, v, path)
	case reflect.Interface:
		if v.NumMethod() > 0 {
			d.fail(n, path, "edged cannot read a %s from a file", v.Type())
			return
		}
		v.Set(reflect.ValueOf(d.anything(n, path)))
	default:
		d.scalar(n, v, path)
	}
}

// fresh makes a settable value of a type, with its defaults.
func (d *decoder) fresh(t reflect.Type) reflect.Value {
	v := reflect.New(t)
	if f := d.defaults[t]; f != nil {
		v.Elem().Set(f())
	}
	if s, ok := v.Interface().(SetDefaulter); ok {
		s.SetDefaults()
	}
	return v.Elem()
}

func (d *decoder) text(n *node, v reflect.Value, path string) {
	if n.kind != scalar {
		d.fail(n, path, "expected a value, found %s", n.found())
		return
	}
	u := v.Addr().Interface().(encoding.TextUnmarshaler)
	if err := u.UnmarshalText([]byte(n.text)); err != nil {
		d.fail(n, path, "%s", n.conceal(err.Error()))
	}
}

func (d *decoder) structure(n *node, v reflect.Value, path string) {
	if n.kind != mapping {
		d.fail(n, path, "expected a group of keys, found %s", n.found())
		return
	}
	fields, known, owned := fieldsOf(v)
	for _, f := range owned {
		f.Set(reflect.ValueOf(&raw{node: n, path: path, base: d}))
	}
	for i := range n.entries {
		e := &n.entries[i]
		f, ok := fields[e.key]
		if ok {
			d.value(e.value, f, below(path, e.key))
			continue
		}
		if len(owned) > 0 {
			continue // the owner of the raw part knows the other keys
		}
		d.unknown(e, path, known)
	}
}

func (d *decoder) unknown(e *entry, path string, known []string) {
	if d.planned != nil {
		if what := d.planned(below(path, e.key)); what != "" {
			d.add(e.errorf(path, "%s", what))
			return
		}
	}
	d.add(e.errorf(path, "unknown key %s%s", quote(e.key), suggest(e.key, known)))
}

func (d *decoder) list(n *node, v reflect.Value, path string) {
	if n.kind != list {
		hint := ""
		if n.kind == scalar && v.Type().Elem().Kind() != reflect.Struct {
			hint = "; write [" + n.written + "]"
		}
		d.fail(n, path, "expected a list, found %s%s", n.found(), hint)
		return
	}
	if v.Kind() == reflect.Array {
		if len(n.items) != v.Len() {
			d.fail(n, path, "expected %d values, found %d", v.Len(), len(n.items))
			return
		}
	} else {
		v.Set(reflect.MakeSlice(v.Type(), len(n.items), len(n.items)))
	}
	for i, item := range n.items {
		at := fmt.Sprintf("%s[%d]", path, i)
		if item.kind == null {
			d.fail(item, at, "expected a value after the dash, found nothing")
			continue
		}
		v.Index(i).Set(d.fresh(v.Type().Elem()))
		d.value(item, v.Index(i), at)
	}
}

func (d *decoder) mapping(n *node, v reflect.Value, path string) {
	if n.kind != mapping {
		d.fail(n, path, "expected a group of keys, found %s", n.found())
		return
	}
	if v.IsNil() {
		v.Set(reflect.MakeMapWithSize(v.Type(), len(n.entries)))
	}
	for i := range n.entries {
		e := &n.entries[i]
		at := below(path, e.key)
		key := reflect.New(v.Type().Key()).Elem()
		before := len(d.errs)
		d.value(&node{kind: scalar, src: e.src, line: e.line, col: e.col, text: e.key, written: e.key, plain: true}, key, at)
		if len(d.errs) > before {
			continue
		}
		value := d.fresh(v.Type().Elem())
		d.value(e.value, value, at)
		v.SetMapIndex(key, value)
	}
}

// fieldsOf maps a struct's keys to its fields. Embedded structs and those tagged inline share the struct's keys; a
// field of type edged.Raw owns all keys that no other field has.
func fieldsOf(v reflect.Value) (fields map[string]reflect.Value, names []string, owned []reflect.Value) {
	fields = make(map[string]reflect.Value)
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() && !f.Anonymous {
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		inline := options == "inline" || f.Anonymous && name == ""
		switch {
		case f.Type == rawType && (inline || name == "-"):
			owned = append(owned, v.Field(i))
		case name == "-":
		case inline && f.Type.Kind() == reflect.Struct:
			inner, innerNames, innerOwned := fieldsOf(v.Field(i))
			for k, field := range inner {
				fields[k] = field
			}
			names = append(names, innerNames...)
			owned = append(owned, innerOwned...)
		default:
			if name == "" {
				name = strings.ToLower(f.Name)
			}
			fields[name] = v.Field(i)
			names = append(names, name)
		}
	}
	return fields, names, owned
}
