// Package record is how small files on the mount begin: with what they are and a format number, so that a
// later program knows what it reads and an older one refuses what it does not know.
//
// There are two shapes. A text record is for what an operator may want to read: a line "<what> <format>", then lines "<key>
// <value>" in a fixed order, nothing else. A sealed record is binary: magic, format, length, checksum, payload; it is for what is
// rewritten in place and may be seen half written.
//
// Its invariant: decoding accepts exactly what encoding writes.
package record

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"

	"holdfast"
)

// Field is a line of a text record. Keys have no space, values no line break.
type Field struct{ Key, Value string }

// Text encodes a text record.
func Text(what string, format int, fields ...Field) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %d\n", what, format)
	for _, f := range fields {
		b.WriteString(f.Key)
		b.WriteByte(' ')
		b.WriteString(f.Value)
		b.WriteByte('\n')
	}
	return []byte(b.String())
}

// ParseText decodes a text record of this kind, format and keys, and returns the values in the order of the keys.
// Anything else is of kind Corrupt; another format number is Unsupported.
func ParseText(b []byte, what string, format int, keys ...string) ([]string, error) {
	text, whole := strings.CutSuffix(string(b), "\n")
	lines := strings.Split(text, "\n")
	got, number, _ := strings.Cut(lines[0], " ")
	if n, err := strconv.Atoi(number); got == what && err == nil && strconv.Itoa(n) == number && n > format {
		return nil, fail(what, holdfast.Unsupported, "format %d is newer than %d", n, format)
	}
	if !whole || got != what || number != strconv.Itoa(format) {
		return nil, fail(what, holdfast.Corrupt, "first line is %.40q", lines[0])
	}
	if len(lines)-1 != len(keys) {
		return nil, fail(what, holdfast.Corrupt, "%d lines, want %d", len(lines)-1, len(keys))
	}
	values := make([]string, len(keys))
	for i, key := range keys {
		value, ok := strings.CutPrefix(lines[i+1], key+" ")
		if !ok {
			return nil, fail(what, holdfast.Corrupt, "line %d is %.40q, want %s", i+2, lines[i+1], key)
		}
		values[i] = value
	}
	return values, nil
}

func fail(what string, kind holdfast.Kind, format string, args ...any) error {
	return &holdfast.Error{Op: "decode", Kind: kind, ID: what, Err: fmt.Errorf(format, args...)}
}

// A sealed record, little-endian:
//
//	0  4  magic
//	4  2  format
//	6  2  length of the payload
//	8  4  CRC32C of the other bytes
//	12    payload
const sealHeader = 12

// MaxPayload is the longest payload of a sealed record.
const MaxPayload = 1<<16 - 1

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// Seal encodes a sealed record. The payload must not exceed [MaxPayload].
func Seal(magic [4]byte, format uint16, payload []byte) []byte {
	if len(payload) > MaxPayload {
		panic("record: payload of a sealed record is too long")
	}
	b := make([]byte, sealHeader, sealHeader+len(payload))
	copy(b, magic[:])
	binary.LittleEndian.PutUint16(b[4:], format)
	binary.LittleEndian.PutUint16(b[6:], uint16(len(payload)))
	b = append(b, payload...)
	binary.LittleEndian.PutUint32(b[8:], sum(b))
	return b
}

// sum is the checksum of a sealed record, its own field excepted.
func sum(b []byte) uint32 {
	c := crc32.Update(0, castagnoli(), b[:8])
	return crc32.Update(c, castagnoli(), b[sealHeader:])
}

// Unseal returns the payload of a sealed record, which shares memory with b. Bytes after the record are not looked at.
func Unseal(b []byte, magic [4]byte, format uint16) ([]byte, error) {
	what := string(magic[:])
	if len(b) < sealHeader || [4]byte(b[:4]) != magic {
		return nil, fail(what, holdfast.Corrupt, "no header")
	}
	end := sealHeader + int(binary.LittleEndian.Uint16(b[6:]))
	if len(b) < end {
		return nil, fail(what, holdfast.Corrupt, "%d bytes, want %d", len(b), end)
	}
	if got, want := sum(b[:end]), binary.LittleEndian.Uint32(b[8:]); got != want {
		return nil, fail(what, holdfast.Corrupt, "checksum %08x, want %08x", got, want)
	}
	if got := binary.LittleEndian.Uint16(b[4:]); got != format {
		return nil, fail(what, holdfast.Unsupported, "format %d, want %d", got, format)
	}
	return b[sealHeader:end:end], nil
}
