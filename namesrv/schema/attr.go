package schema

import (
	"encoding/binary"

	"holdfast"
)

func appendHeaders(b []byte, hs []holdfast.Header) []byte {
	b = binary.AppendUvarint(b, uint64(len(hs)))
	for i := range hs {
		b = appendString(b, hs[i].Name)
		b = appendString(b, hs[i].Value)
	}
	return b
}

func (r *reader) headers(a *Arena) []holdfast.Header {
	n := r.uvarint()
	if n == 0 || n > uint64(len(r.b)/2) {
		return nil
	}
	hs := make([]holdfast.Header, n)
	for i := range hs {
		hs[i].Name = a.String(r.chunk())
		hs[i].Value = a.String(r.chunk())
	}
	return hs
}

// What is said of a legal hold; stored.
const (
	holdNever = iota
	holdOn
	holdOff
)

func appendLock(b []byte, l holdfast.Lock) []byte {
	hold := byte(holdNever)
	switch {
	case l.LegalHold:
		hold = holdOn
	case l.HoldOff:
		hold = holdOff
	}
	return appendTime(append(b, byte(l.Mode), hold), l.Until)
}

func (r *reader) lock() (l holdfast.Lock) {
	l.Mode = holdfast.LockMode(r.byte())
	hold := r.byte()
	l.LegalHold, l.HoldOff = hold == holdOn, hold == holdOff
	l.Until = r.time()
	return l
}

func appendPOSIX(b []byte, p *holdfast.POSIX) []byte {
	b = binary.AppendUvarint(b, uint64(p.Mode))
	b = binary.AppendUvarint(b, uint64(p.UID))
	b = binary.AppendUvarint(b, uint64(p.GID))
	b = appendTime(b, p.Access)
	b = appendTime(b, p.Change)
	return appendString(b, p.Target)
}

func (r *reader) posix(a *Arena) *holdfast.POSIX {
	p := &holdfast.POSIX{Mode: uint32(r.uvarint()), UID: uint32(r.uvarint()), GID: uint32(r.uvarint())}
	p.Access = r.time()
	p.Change = r.time()
	p.Target = a.String(r.chunk())
	if r.bad {
		return nil
	}
	return p
}
