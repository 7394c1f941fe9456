package namerpc

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"time"

	"holdfast"
	"holdfast/wire"
)

// filler makes random values of the contract's types by reflection, so that a field added to one of them is in the
// tests of the conversion from that day on.
type filler struct{ *rand.Rand }

func newFiller(seed uint64) filler { return filler{rand.New(rand.NewPCG(seed, 0))} }

var (
	timeType  = reflect.TypeFor[time.Time]()
	errorType = reflect.TypeFor[error]()
	opType    = reflect.TypeFor[holdfast.Op]()

	// opTypes are all operations; TestEveryOpIsTested compares the list with the contract's source.
	opTypes = []reflect.Type{
		reflect.TypeFor[holdfast.PutEntry](), reflect.TypeFor[holdfast.DeleteEntry](), reflect.TypeFor[holdfast.SetEntry](),
		reflect.TypeFor[holdfast.MakeDir](), reflect.TypeFor[holdfast.LinkDir](), reflect.TypeFor[holdfast.UnlinkDir](),
		reflect.TypeFor[holdfast.SealDir](), reflect.TypeFor[holdfast.DropDir](), reflect.TypeFor[holdfast.SetBucket](),
		reflect.TypeFor[holdfast.CreateUpload](), reflect.TypeFor[holdfast.PutPart](), reflect.TypeFor[holdfast.CompleteUpload](),
		reflect.TypeFor[holdfast.AbortUpload](), reflect.TypeFor[holdfast.IndexUpload](), reflect.TypeFor[holdfast.UnindexUpload](),
		reflect.TypeFor[holdfast.DropIntent](), reflect.TypeFor[holdfast.SetShare](),
	}
)

// random returns a random T. About a third of all fields is zero; slices and maps are nil or have up to three elements.
func random[T any](f filler) T {
	var v T
	f.fill(reflect.ValueOf(&v).Elem())
	return v
}

func (f filler) fill(v reflect.Value) {
	switch v.Type() {
	case timeType:
		if f.IntN(3) > 0 {
			v.Set(reflect.ValueOf(time.Unix(int64(f.Uint64()), f.Int64N(1e9)).UTC()))
		}
		return
	case errorType:
		if err := f.error(); err != nil {
			v.Set(reflect.ValueOf(err))
		}
		return
	case opType:
		op := reflect.New(opTypes[f.IntN(len(opTypes))]).Elem()
		f.fill(op)
		v.Set(op)
		return
	}
	if v.Kind() == reflect.Struct {
		for i := range v.NumField() {
			f.fill(v.Field(i))
		}
		return
	}
	if f.IntN(3) == 0 {
		return
	}
	f.fillNonZero(v)
}

func (f filler) fillNonZero(v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(f.Uint64() >> f.IntN(64)))
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(f.Uint64() >> (64 - v.Type().Bits()))
	case reflect.String:
		v.SetString(string(f.bytes()))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem())
	case reflect.Array: // ids and digests
		for i := range v.Len() {
			v.Index(i).SetUint(f.Uint64() & 0xff)
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes(f.bytes())
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 1+f.IntN(3), 3))
		for i := range v.Len() {
			f.fill(v.Index(i))
		}
	case reflect.Map: // settings
		v.Set(reflect.MakeMap(v.Type()))
		for range 1 + f.IntN(3) {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			f.fill(key)
			f.fill(value)
			v.SetMapIndex(key, value)
		}
	default:
		panic(fmt.Sprintf("no random values of %v", v.Type()))
	}
}

// bytes returns 0 to 20 bytes, rarely UTF-8.
func (f filler) bytes() []byte {
	b := make([]byte, f.IntN(21))
	for i := range b {
		b[i] = byte(f.Uint64())
	}
	return b
}

// error returns nil or an error in the form in which errors come out of the wire.
func (f filler) error() error {
	cause := &wire.RemoteError{Text: string(f.bytes()), Kind: f.kind()}
	switch f.IntN(4) {
	case 0:
		return nil
	case 1:
		return cause
	case 2:
		return &holdfast.Error{Op: string(f.bytes()), Kind: f.kind(), ID: string(f.bytes())}
	}
	return &holdfast.Error{Op: string(f.bytes()), Kind: f.kind(), ID: string(f.bytes()), Err: cause}
}

func (f filler) kind() holdfast.Kind { return holdfast.Kind(f.IntN(holdfast.Kinds)) }
