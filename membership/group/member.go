package group

import (
	"encoding/binary"
	"errors"
	"fmt"

	"holdfast"
	"holdfast/membership/protocol"
)

// MaxMember is the size of an encoded [Member]: what memberlist carries with every word about a host.
const MaxMember = 512

// Member is what a host says of itself. Treat it as a value whose Storages do not change.
type Member struct {
	Host     holdfast.HostID
	Run      uint64         // number of its incarnation; a restart shows as a greater one
	Address  string         // where its node answers RPCs, host:port
	Storages []string       // names of the storages that work on it now
	Load     uint8          // how busy it is, in percent; LoadUnknown if it does not say
	Speaks   protocol.Range // versions of the protocol between nodes
}

// LoadUnknown is the load of a host that does not say.
const LoadUnknown = 255

const memberFormat = 1

// Encode writes the member for gossip. TooLarge if names are too long or too many; Invalid without an id or a range of versions.
//
//	 0  1  format, 1
//	 1  8  host id, big-endian like all numbers here
//	 9  8  run
//	17  2  oldest version
//	19  2  newest version
//	21  1  load
//	22  1  n, then n bytes of address
//	    1  number of storages, then for each 1 n, then n bytes of name
//
// A later version may append to it: readers ignore what follows.
func (m Member) Encode() ([]byte, error) {
	if err := m.check(); err != nil {
		return nil, holdfast.E("encode group member", holdfast.Invalid, err)
	}
	b := []byte{memberFormat}
	b = binary.BigEndian.AppendUint64(b, uint64(m.Host))
	b = binary.BigEndian.AppendUint64(b, m.Run)
	b = binary.BigEndian.AppendUint16(b, uint16(m.Speaks.Min))
	b = binary.BigEndian.AppendUint16(b, uint16(m.Speaks.Max))
	b = append(b, m.Load)
	names := append([]string{m.Address}, m.Storages...)
	for i, name := range names {
		if i == 1 {
			b = append(b, byte(len(m.Storages)))
		}
		if len(name) > 255 || len(b)+1+len(name) > MaxMember || i > 255 {
			return nil, holdfast.E("encode group member", holdfast.TooLarge, fmt.Errorf("address and %d storages", len(m.Storages)))
		}
		b = append(append(b, byte(len(name))), name...)
	}
	if len(m.Storages) == 0 {
		b = append(b, 0)
	}
	if len(b) > MaxMember {
		return nil, holdfast.E("encode group member", holdfast.TooLarge, fmt.Errorf("%d bytes", len(b)))
	}
	return b, nil
}

// ParseMember reads what Encode wrote, and ignores what a later version appended. Errors: Corrupt; Unsupported for another format.
func ParseMember(b []byte) (Member, error) {
	if len(b) > 0 && b[0] != memberFormat {
		return Member{}, holdfast.E("decode group member", holdfast.Unsupported, fmt.Errorf("format %d, want %d", b[0], memberFormat))
	}
	const fixed = 22
	if len(b) < fixed || len(b) > MaxMember {
		return Member{}, holdfast.E("decode group member", holdfast.Corrupt, fmt.Errorf("%d bytes", len(b)))
	}
	m := Member{
		Host:   holdfast.HostID(binary.BigEndian.Uint64(b[1:])),
		Run:    binary.BigEndian.Uint64(b[9:]),
		Speaks: protocol.Range{Min: protocol.Version(binary.BigEndian.Uint16(b[17:])), Max: protocol.Version(binary.BigEndian.Uint16(b[19:]))},
		Load:   b[21],
	}
	rest := b[fixed:]
	var err error
	if m.Address, rest, err = cutName(rest); err != nil {
		return Member{}, err
	}
	if len(rest) == 0 {
		return Member{}, errShort
	}
	n := int(rest[0])
	rest = rest[1:]
	for range n {
		var name string
		if name, rest, err = cutName(rest); err != nil {
			return Member{}, err
		}
		m.Storages = append(m.Storages, name)
	}
	if err := m.check(); err != nil {
		return Member{}, holdfast.E("decode group member", holdfast.Corrupt, err)
	}
	return m, nil
}

func (m Member) check() error {
	if m.Host == 0 || !m.Speaks.Valid() || m.Load > 100 && m.Load != LoadUnknown {
		return fmt.Errorf("host %s, versions %v, load %d", m.Host, m.Speaks, m.Load)
	}
	return nil
}

var errShort = holdfast.E("decode group member", holdfast.Corrupt, errors.New("it ends early"))

// cutName takes a length and so many bytes off the front.
func cutName(b []byte) (name string, rest []byte, err error) {
	if len(b) == 0 || len(b) < 1+int(b[0]) {
		return "", nil, errShort
	}
	return string(b[1 : 1+int(b[0])]), b[1+int(b[0]):], nil
}
