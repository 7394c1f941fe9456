package schema

import (
	"bytes"
	"encoding/binary"

	"holdfast"
)

// Kind is the first byte of every key; stored, so appended to only. The kind comes before the directory so that
// records read together lie together: a listing crosses nothing but entries. The slot is the highest 12 bits of every
// DirID, so one slot is one range of each kind ([SlotRange]).
type Kind byte

// The kinds of keys.
const (
	KindState   Kind = 0x01 // the server's counters: one record
	KindSlot    Kind = 0x02 // slots the server holds
	KindDir     Kind = 0x10 // directory records
	KindBucket  Kind = 0x11 // bucket records, by root
	KindEntry   Kind = 0x12 // current visible versions and sub-directories, by directory and name
	KindOlder   Kind = 0x13 // noncurrent versions and all delete markers, newest first
	KindNull    Kind = 0x14 // where the null version of a name lies in KindOlder
	KindTable   Kind = 0x15 // part tables too large for an entry
	KindUpload  Kind = 0x16 // unfinished uploads, by name
	KindPart    Kind = 0x17 // their parts
	KindDone    Kind = 0x18 // completed uploads, for those who ask twice
	KindIndex   Kind = 0x19 // the upload index of a bucket, by full key
	KindFate    Kind = 0x20 // fates of objects, by home slot
	KindIntent  Kind = 0x21 // unfinished operations of several steps, by slot and age
	KindUsage   Kind = 0x30 // usage, by bucket and slot
	KindGarbage Kind = 0x31 // objects to be freed, by object server and age
	KindChange  Kind = 0x32 // the change log, by sequence
	KindShare   Kind = 0x33 // the server's shares of quotas, by bucket
)

const dirKeyLen = 1 + len(holdfast.DirID{})

// appendDirKey begins the key of a record of a directory.
func appendDirKey(b []byte, k Kind, d holdfast.DirID) []byte {
	b = append(b, byte(k))
	return append(b, d[:]...)
}

// StateKey is the key of the server's counters.
func StateKey() []byte { return []byte{byte(KindState)} }

// SlotKey is the key of the ownership of a slot.
func SlotKey(s holdfast.Slot) []byte {
	return binary.BigEndian.AppendUint16([]byte{byte(KindSlot)}, uint16(s))
}

// ParseSlotKey reads the slot of a [SlotKey].
func ParseSlotKey(key []byte) (holdfast.Slot, bool) {
	if len(key) != 3 || Kind(key[0]) != KindSlot {
		return 0, false
	}
	s := binary.BigEndian.Uint16(key[1:])
	return holdfast.Slot(s), s < holdfast.Slots
}

// DirKey appends the key of the record of a directory.
func DirKey(b []byte, d holdfast.DirID) []byte { return appendDirKey(b, KindDir, d) }

// BucketKey appends the key of the record of the bucket with this root.
func BucketKey(b []byte, root holdfast.DirID) []byte { return appendDirKey(b, KindBucket, root) }

// EntryKey appends the key of a name in a directory. The name ends the key, so it needs no terminator, and byte order is the
// order of names; a sub-directory's name ends in "/".
func EntryKey(b []byte, d holdfast.DirID, name string) []byte {
	b = appendDirKey(b, KindEntry, d)
	return append(b, name...)
}

// ParseDir reads kind and directory of a key that has both, and returns what follows.
func ParseDir(key []byte) (k Kind, d holdfast.DirID, rest []byte, ok bool) {
	if len(key) < dirKeyLen {
		return 0, d, nil, false
	}
	copy(d[:], key[1:])
	return Kind(key[0]), d, key[dirKeyLen:], true
}

// appendName appends a name in a form that ends by itself and keeps the order: a zero byte becomes 00 FF, and 00 01 ends the name.
func appendName(b []byte, name string) []byte {
	for i := range len(name) {
		b = append(b, name[i])
		if name[i] == 0 {
			b = append(b, 0xff)
		}
	}
	return append(b, 0, 1)
}

// cutName reads what appendName wrote and returns what follows. Without zero bytes in the name it does not copy.
func cutName(b []byte) (name, rest []byte, ok bool) {
	for i := 0; ; {
		n := bytes.IndexByte(b[i:], 0)
		if n < 0 || i+n+1 >= len(b) {
			return nil, nil, false
		}
		i += n
		switch b[i+1] {
		case 1:
			if name == nil {
				return b[:i:i], b[i+2:], true
			}
			return unescape(b[:i]), b[i+2:], true
		case 0xff:
			name = b[:0]
			i += 2
		default:
			return nil, nil, false
		}
	}
}

// unescape turns each 00 FF into 00, into memory of its own.
func unescape(b []byte) []byte { return bytes.ReplaceAll(b, []byte{0, 0xff}, []byte{0}) }

// NamePrefix appends the common prefix of all keys of a kind that belong to one name of a directory.
func NamePrefix(b []byte, k Kind, d holdfast.DirID, name string) []byte {
	return appendName(appendDirKey(b, k, d), name)
}

// OlderKey appends the key of a noncurrent version or delete marker: the version is inverted, so newer ones come first.
func OlderKey(b []byte, d holdfast.DirID, name string, v holdfast.VersionID) []byte {
	b = NamePrefix(b, KindOlder, d, name)
	for _, c := range v {
		b = append(b, ^c)
	}
	return b
}

// ParseOlder reads name and version of the rest of an [OlderKey].
func ParseOlder(rest []byte) (name []byte, v holdfast.VersionID, ok bool) {
	name, tail, ok := cutName(rest)
	if !ok || len(tail) != len(v) {
		return nil, v, false
	}
	for i, c := range tail {
		v[i] = ^c
	}
	return name, v, true
}

// NullKey appends the key that says which of a name's older versions is the null version.
func NullKey(b []byte, d holdfast.DirID, name string) []byte {
	b = appendDirKey(b, KindNull, d)
	return append(b, name...)
}

// TableKey appends the key of the part table of a version.
func TableKey(b []byte, d holdfast.DirID, v holdfast.VersionID) []byte {
	b = appendDirKey(b, KindTable, d)
	return append(b, v[:]...)
}

// UploadKey appends the key of an upload of a name: kind is KindUpload, KindDone or (with a full key as name) KindIndex.
func UploadKey(b []byte, k Kind, d holdfast.DirID, name string, id holdfast.UploadID) []byte {
	b = NamePrefix(b, k, d, name)
	return append(b, id[:]...)
}

// ParseUpload reads name and upload of the rest of an [UploadKey].
func ParseUpload(rest []byte) (name []byte, id holdfast.UploadID, ok bool) {
	name, tail, ok := cutName(rest)
	if !ok || len(tail) != len(id) {
		return nil, id, false
	}
	copy(id[:], tail)
	return name, id, true
}

// PartPrefix appends the common prefix of the keys of an upload's parts.
func PartPrefix(b []byte, d holdfast.DirID, id holdfast.UploadID) []byte {
	b = appendDirKey(b, KindPart, d)
	return append(b, id[:]...)
}

// PartKey appends the key of a part.
func PartKey(b []byte, d holdfast.DirID, id holdfast.UploadID, number int) []byte {
	return binary.BigEndian.AppendUint16(PartPrefix(b, d, id), uint16(number))
}

// ParsePart reads upload and number of the rest of a [PartKey].
func ParsePart(rest []byte) (id holdfast.UploadID, number int, ok bool) {
	if len(rest) != len(id)+2 {
		return id, 0, false
	}
	copy(id[:], rest)
	return id, int(binary.BigEndian.Uint16(rest[len(id):])), true
}

// FateKey appends the key of the fate of an object.
func FateKey(b []byte, home holdfast.Slot, os holdfast.ServiceID, o holdfast.ObjectID) []byte {
	b = append(b, byte(KindFate))
	b = binary.BigEndian.AppendUint16(b, uint16(home)<<4) // aligned like a DirID, see SlotRange
	return appendObject(b, os, o)
}

// ParseFate reads a [FateKey].
func ParseFate(key []byte) (home holdfast.Slot, os holdfast.ServiceID, o holdfast.ObjectID, ok bool) {
	if len(key) != 3+24 || Kind(key[0]) != KindFate {
		return 0, 0, o, false
	}
	os, o = parseObject(key[3:])
	return holdfast.Slot(binary.BigEndian.Uint16(key[1:]) >> 4), os, o, true
}

func appendObject(b []byte, os holdfast.ServiceID, o holdfast.ObjectID) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(os))
	b = binary.BigEndian.AppendUint64(b, uint64(o.Epoch))
	return binary.BigEndian.AppendUint64(b, o.Counter)
}

func parseObject(b []byte) (holdfast.ServiceID, holdfast.ObjectID) {
	return holdfast.ServiceID(binary.BigEndian.Uint64(b)), holdfast.ObjectID{
		Epoch:   holdfast.Epoch(binary.BigEndian.Uint64(b[8:])),
		Counter: binary.BigEndian.Uint64(b[16:]),
	}
}

// IntentKey appends the key of an intent; byte order is the order of ids.
func IntentKey(b []byte, id holdfast.IntentID) []byte {
	b = append(b, byte(KindIntent))
	b = binary.BigEndian.AppendUint16(b, uint16(id.Slot)<<4)
	return binary.BigEndian.AppendUint64(b, id.Seq)
}

// ParseIntent reads an [IntentKey].
func ParseIntent(key []byte) (id holdfast.IntentID, ok bool) {
	if len(key) != 11 || Kind(key[0]) != KindIntent {
		return id, false
	}
	return holdfast.IntentID{
		Slot: holdfast.Slot(binary.BigEndian.Uint16(key[1:]) >> 4), Seq: binary.BigEndian.Uint64(key[3:]),
	}, true
}

// UsageKey appends the key of what a slot holds of a bucket.
func UsageKey(b []byte, root holdfast.DirID, s holdfast.Slot) []byte {
	return binary.BigEndian.AppendUint16(appendDirKey(b, KindUsage, root), uint16(s))
}

// ShareKey appends the key of the server's share of a bucket's quota.
func ShareKey(b []byte, root holdfast.DirID) []byte { return appendDirKey(b, KindShare, root) }

// GarbageKey appends the key of an object to be freed; n grows, so the queue of an object server is in order of age.
func GarbageKey(b []byte, os holdfast.ServiceID, n uint64) []byte {
	b = append(b, byte(KindGarbage))
	b = binary.BigEndian.AppendUint64(b, uint64(os))
	return binary.BigEndian.AppendUint64(b, n)
}

// ParseGarbage reads a [GarbageKey].
func ParseGarbage(key []byte) (os holdfast.ServiceID, n uint64, ok bool) {
	if len(key) != 17 || Kind(key[0]) != KindGarbage {
		return 0, 0, false
	}
	return holdfast.ServiceID(binary.BigEndian.Uint64(key[1:])), binary.BigEndian.Uint64(key[9:]), true
}

// ChangeKey appends the key of a record of the change log.
func ChangeKey(b []byte, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(append(b, byte(KindChange)), seq)
}

// ParseChange reads a [ChangeKey].
func ParseChange(key []byte) (seq uint64, ok bool) {
	if len(key) != 9 || Kind(key[0]) != KindChange {
		return 0, false
	}
	return binary.BigEndian.Uint64(key[1:]), true
}

// SlotRange returns the keys of one kind that belong to a slot: from lower, before upper. It is for the kinds whose keys
// go on with a DirID or a home slot (KindDir to KindIntent).
func SlotRange(k Kind, s holdfast.Slot) (lower, upper []byte) {
	lower = binary.BigEndian.AppendUint16([]byte{byte(k)}, uint16(s)<<4)
	if s+1 == holdfast.Slots {
		return lower, []byte{byte(k) + 1}
	}
	return lower, binary.BigEndian.AppendUint16([]byte{byte(k)}, uint16(s+1)<<4)
}

// KindRange returns the range of all keys of a kind.
func KindRange(k Kind) (lower, upper []byte) { return []byte{byte(k)}, []byte{byte(k) + 1} }

// PrefixEnd appends the first key after all that begin with prefix, which must have a byte other than FF; all prefixes of
// this schema begin with a kind.
func PrefixEnd(b, prefix []byte) []byte {
	n := len(prefix)
	for prefix[n-1] == 0xff {
		n--
	}
	b = append(b, prefix[:n]...)
	b[len(b)-1]++
	return b
}
