package holdfast

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"
)

// ServiceType says what a service does. It is the highest byte of a [ServiceID], so an id tells its type by itself.
type ServiceType uint8

// The service types, and the type byte of volume ids, which share the numbering.
const (
	TypeVolume      ServiceType = 0x01
	TypeNameServer  ServiceType = 0x08
	TypeObjectStore ServiceType = 0x10
	TypeGateway     ServiceType = 0x80
)

// String gives the short name operators know: VOL, NS, OS, S3GW.
func (t ServiceType) String() string {
	switch t {
	case TypeVolume:
		return "VOL"
	case TypeNameServer:
		return "NS"
	case TypeObjectStore:
		return "OS"
	case TypeGateway:
		return "S3GW"
	}
	return fmt.Sprintf("type(%#02x)", uint8(t))
}

// ServiceID names a service for ever: its type in the highest byte, a number unique in the cluster below it.
// It is written as 16 lower-case hex digits, which is also the name of the service's directory on the mount.
type ServiceID uint64

// NewServiceID builds the id of the service with the running number n, which must fit 56 bits.
func NewServiceID(t ServiceType, n uint64) ServiceID {
	return ServiceID(uint64(t)<<56 | n&(1<<56-1))
}

// Type returns the type byte of the id.
func (id ServiceID) Type() ServiceType { return ServiceType(id >> 56) }

// String returns the 16 hex digits.
func (id ServiceID) String() string { return hex16(uint64(id)) }

// ParseServiceID reads an id of 1 to 16 hex digits; shorter input is padded with zeros on the left.
func ParseServiceID(s string) (ServiceID, error) {
	n, err := parseHex16(s)
	return ServiceID(n), err
}

// VolumeID names an object namespace. It has the form of a [ServiceID] of type [TypeVolume].
type VolumeID uint64

// String returns the 16 hex digits.
func (id VolumeID) String() string { return hex16(uint64(id)) }

// HostID names a host of the cluster.
type HostID uint64

// String returns the 16 hex digits.
func (id HostID) String() string { return hex16(uint64(id)) }

// ParseHostID reads an id of 1 to 16 hex digits.
func ParseHostID(s string) (HostID, error) {
	n, err := parseHex16(s)
	return HostID(n), err
}

// Epoch is the number of an ownership of a service. It grows by one at each takeover, is never reused, and the first
// one is 1; 0 means "none".
type Epoch uint64

// Incarnation names one run of a node process; it is random and new at each start.
type Incarnation [16]byte

// String returns the 32 hex digits.
func (i Incarnation) String() string { return hex.EncodeToString(i[:]) }

// ObjectID names the bytes of an object inside one object server. The epoch is the one that created it, so a counter
// can restart with each epoch and an id is still never reused.
type ObjectID struct {
	Epoch   Epoch
	Counter uint64
}

// IsZero reports whether the id names nothing.
func (id ObjectID) IsZero() bool { return id == ObjectID{} }

// String returns "epoch-counter" in hex.
func (id ObjectID) String() string {
	return strconv.FormatUint(uint64(id.Epoch), 16) + "-" + strconv.FormatUint(id.Counter, 16)
}

// Less orders ids by age.
func (id ObjectID) Less(other ObjectID) bool {
	if id.Epoch != other.Epoch {
		return id.Epoch < other.Epoch
	}
	return id.Counter < other.Counter
}

// Slots is the number of slots a volume's namespace is cut into. It is fixed for the life of a volume.
const Slots = 4096

// Slot is a fixed share of a volume's namespace, 0 ≤ slot < [Slots]. The slot map says which name server holds it.
type Slot uint16

// DirID names a directory. Its highest 12 bits are the slot the directory lives in; the rest is random, so that an
// id is never used twice, not even for a directory of the same path.
type DirID [16]byte

// VolumeRoot is the directory whose entries are the volume's buckets. It lives in slot 0 and always exists.
var VolumeRoot = DirID{15: 1}

// NewDirID places 16 random bytes in a slot.
func NewDirID(slot Slot, random [16]byte) DirID {
	d := DirID(random)
	binary.BigEndian.PutUint16(d[:2], uint16(slot)<<4|uint16(random[1]&0x0f))
	return d
}

// Slot returns the slot the directory lives in.
func (d DirID) Slot() Slot { return Slot(binary.BigEndian.Uint16(d[:2]) >> 4) }

// IsZero reports whether d names nothing.
func (d DirID) IsZero() bool { return d == DirID{} }

// String returns the 32 hex digits.
func (d DirID) String() string { return hex.EncodeToString(d[:]) }

// VersionID names one version of a name and orders the versions of that name: the first 8 bytes are a hybrid logical
// clock (big-endian nanoseconds, strictly growing on the name server that assigned it), the rest is random.
// The zero value means "the current version".
type VersionID [16]byte

// IsZero reports whether v means the current version.
func (v VersionID) IsZero() bool { return v == VersionID{} }

// Clock returns the hybrid logical time of the version in nanoseconds since 1970.
func (v VersionID) Clock() uint64 { return binary.BigEndian.Uint64(v[:8]) }

// String returns the 32 hex digits that S3 clients see as version id.
func (v VersionID) String() string { return hex.EncodeToString(v[:]) }

// ParseVersionID reads what [VersionID.String] wrote.
func ParseVersionID(s string) (VersionID, error) {
	var v VersionID
	if len(s) != 2*len(v) {
		return v, E("parse version id", Invalid, nil)
	}
	if _, err := hex.Decode(v[:], []byte(s)); err != nil {
		return VersionID{}, E("parse version id", Invalid, err)
	}
	return v, nil
}

// UploadID names a multipart upload. Ids are in the order in which the uploads began, as far as the clocks of gateways agree: listings
// show the uploads of a key in it.
type UploadID [16]byte

// NewUploadID returns an id that nobody can guess for an upload that began at a time.
func NewUploadID(began time.Time) UploadID {
	var u UploadID
	binary.BigEndian.PutUint64(u[:8], uint64(began.UnixNano()))
	_, _ = rand.Read(u[8:]) // documented never to fail
	return u
}

// String returns the 32 hex digits that S3 clients see as upload id.
func (u UploadID) String() string { return hex.EncodeToString(u[:]) }

// ParseUploadID reads what [UploadID.String] wrote.
func ParseUploadID(s string) (UploadID, error) {
	var u UploadID
	if len(s) != 2*len(u) {
		return u, E("parse upload id", NoSuchUpload, nil)
	}
	if _, err := hex.Decode(u[:], []byte(s)); err != nil {
		return UploadID{}, E("parse upload id", NoSuchUpload, err)
	}
	return u, nil
}

func hex16(n uint64) string { return fmt.Sprintf("%016x", n) }

func parseHex16(s string) (uint64, error) {
	if len(s) == 0 || len(s) > 16 {
		return 0, E("parse id", Invalid, fmt.Errorf("%q is not 1 to 16 hex digits", s))
	}
	n, err := strconv.ParseUint(s, 16, 64)
	if err != nil {
		return 0, E("parse id", Invalid, fmt.Errorf("%q is not 1 to 16 hex digits", s))
	}
	return n, nil
}
