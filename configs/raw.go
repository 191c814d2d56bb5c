package configs

import (
	"reflect"

	"github.com/edged/edged"
)

// raw is a part of a file that its owner decodes later, with the same rules and the same messages.
type raw struct {
	node *node
	path string
	base *decoder
}

var _ edged.Raw = (*raw)(nil)

// Decode fills the struct v points to; its error is Errors.
func (r *raw) Decode(v any) error {
	target := reflect.ValueOf(v)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		return r.node.errorf(r.path, "edged has a bug: Decode needs a pointer, got %T", v)
	}
	d := decoder{defaults: r.base.defaults, planned: r.base.planned, failed: r.base.failed}
	d.value(r.node, target.Elem(), r.path)
	return join(d.errs, nil)
}
