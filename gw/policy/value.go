package policy

import (
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Value is what a request's context has for a key. The zero Value means that the context does not have the key.
type Value struct {
	kind   valueKind
	text   string
	list   []string
	number float64 // seconds since 1970 of an instant
	addr   netip.Addr
}

type valueKind uint8

const (
	absent valueKind = iota
	isText
	isList
	isNumber
	isInstant
	isAddress
)

// Text returns a value that is a string. Numbers and dates that came as text may stay text.
func Text(s string) Value { return Value{kind: isText, text: s} }

// List returns the values of a key that may have several; the slice is kept. An empty one is a key that is not there.
func List(values []string) Value {
	if len(values) == 0 {
		return Value{}
	}
	return Value{kind: isList, list: values}
}

// Number returns a value that is a number.
func Number(n float64) Value { return Value{kind: isNumber, number: n} }

// Bool returns a value that is true or false.
func Bool(b bool) Value { return Text(strconv.FormatBool(b)) }

// Address returns a value that is an IP address; an invalid one is no value.
func Address(a netip.Addr) Value {
	if !a.IsValid() {
		return Value{}
	}
	return Value{kind: isAddress, addr: a.Unmap()}
}

// Instant returns a value that is a time; the zero time is no value.
func Instant(t time.Time) Value {
	if t.IsZero() {
		return Value{}
	}
	return Value{kind: isInstant, number: unixSeconds(t)}
}

func unixSeconds(t time.Time) float64 { return float64(t.Unix()) + float64(t.Nanosecond())/1e9 }

// Present reports whether there is a value.
func (v Value) Present() bool { return v.kind != absent }

// single returns the value as text, false if it is none or a list: only a key with one value can be a variable.
func (v Value) single() (string, bool) {
	switch v.kind {
	case isText:
		return v.text, true
	case isNumber:
		return strconv.FormatFloat(v.number, 'f', -1, 64), true
	case isInstant:
		return time.Unix(int64(v.number), 0).UTC().Format(time.RFC3339), true
	case isAddress:
		return v.addr.String(), true
	}
	return "", false
}

// String returns the value as an explanation shows it.
func (v Value) String() string {
	if v.kind == isList {
		return strings.Join(v.list, ", ")
	}
	s, _ := v.single()
	return s
}

// asNumber returns the value for a numeric operator.
func (v Value) asNumber() (float64, bool) {
	if v.kind == isText {
		return parseNumber(v.text)
	}
	return v.number, v.kind == isNumber || v.kind == isInstant
}

// asInstant returns the value for a date operator, in seconds since 1970.
func (v Value) asInstant() (float64, bool) {
	if v.kind == isText {
		return parseDate(v.text)
	}
	return v.number, v.kind == isNumber || v.kind == isInstant
}

// asAddress returns the value for an IP operator.
func (v Value) asAddress() (netip.Addr, bool) {
	if v.kind != isText {
		return v.addr, v.kind == isAddress
	}
	a, err := netip.ParseAddr(v.text)
	return a.Unmap(), err == nil
}

// parseNumber reads an integer or decimal number.
func parseNumber(s string) (float64, bool) {
	if s == "" || strings.Trim(s, "+-.0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(s, 64)
	return n, err == nil
}

// dateLayouts are the W3C profile of ISO 8601 (https://www.w3.org/TR/NOTE-datetime), and the form without a colon in the zone.
var dateLayouts = [...]string{
	time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02", "2006-01", "2006",
	"2006-01-02T15:04:05Z0700",
}

// parseDate reads a date of a condition, or seconds since 1970, into seconds since 1970. Four digits are a year.
func parseDate(s string) (float64, bool) {
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return unixSeconds(t), true
		}
	}
	return parseNumber(s)
}

// parsePrefix reads a range of addresses in CIDR notation; an address alone is the range of itself.
func parsePrefix(s string) (netip.Prefix, bool) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	p, err := netip.ParsePrefix(s)
	if err != nil || p.Addr().Is4In6() {
		return netip.Prefix{}, false
	}
	return p.Masked(), true
}
