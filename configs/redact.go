package configs

import (
	"encoding"
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"

	"github.com/edged/edged"
)

// Redact is the configuration as it is in force, defaults included, fit to be shown, logged and sent: no secret is in it.
// The values of secret keys and passwords in URLs are masked, and what ${VAR} stands for is shown as ${VAR}. It has the
// kinds that encoding/json writes, with the keys of the file.
func (c *Config) Redact() map[string]any {
	m, _ := c.plain(reflect.ValueOf(c).Elem(), "").(map[string]any)
	return m
}

// plain turns a value at a path into what can be shown.
func (c *Config) plain(v reflect.Value, path string) any {
	if n := c.root.lookup(path); n != nil && n.kind == scalar && n.text != n.written {
		return n.written
	}
	if v.Type() == durationType {
		return time.Duration(v.Int()).String()
	}
	if t, ok := v.Interface().(encoding.TextMarshaler); ok {
		text, err := t.MarshalText()
		if err != nil {
			return err.Error()
		}
		return string(text)
	}
	switch v.Kind() {
	case reflect.Struct:
		out := make(map[string]any)
		c.fields(out, v, path)
		return out
	case reflect.Slice:
		out := make([]any, v.Len())
		for i := range out {
			out[i] = c.plain(v.Index(i), fmt.Sprintf("%s[%d]", path, i))
		}
		return out
	case reflect.Map:
		out := make(map[string]any)
		for iter := v.MapRange(); iter.Next(); {
			key := fmt.Sprint(iter.Key())
			out[key] = c.field(key, iter.Value(), below(path, key))
		}
		return out
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return c.plain(v.Elem(), path)
	case reflect.String:
		return maskURL(v.String())
	case reflect.Float32, reflect.Float64:
		if f := v.Float(); math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Sprint(f) // JSON has no such numbers
		}
	}
	return v.Interface()
}

// fields adds a struct's keys to out. What only a driver understands is taken as the file has it.
func (c *Config) fields(out map[string]any, v reflect.Value, path string) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case f.Type == rawType && !v.Field(i).IsNil():
			var tree any
			if raw := v.Field(i).Interface().(edged.Raw); raw.Decode(&tree) == nil {
				for key, value := range c.tree(tree, path) {
					out[key] = value
				}
			}
		case options == "inline" && f.Type.Kind() == reflect.Struct:
			c.fields(out, v.Field(i), path)
		case f.IsExported() && name != "" && name != "-":
			out[name] = c.field(name, v.Field(i), below(path, name))
		}
	}
}

// field masks the value of a secret key.
func (c *Config) field(key string, v reflect.Value, path string) any {
	if isSecret(key) && !v.IsZero() {
		return masked
	}
	return c.plain(v, path)
}

func (c *Config) tree(v any, path string) map[string]any {
	m, _ := c.plain(reflect.ValueOf(&v).Elem(), path).(map[string]any)
	return m
}
