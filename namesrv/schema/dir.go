package schema

import (
	"encoding/binary"
	"maps"
	"slices"

	"holdfast"
)

// Dir is the record of a directory. Its counters make emptiness and visibility point reads.
type Dir struct {
	Root    holdfast.DirID // of the bucket; zero in the volume's root
	Parent  holdfast.DirID // hint
	Name    string         // hint
	Entries int64          // everything it holds
	Visible int64          // names with a visible current version
	Older   int64          // rows under KindOlder
	SubDirs int64
	Uploads int64
	Epoch   uint64 // of the bucket, in the record of its root; 0 elsewhere
	Intent  uint64 // sequence of the intent about it, 0 if none
	Sealed  bool
	Extra   []byte // fields of newer code
}

// Tags of a directory record; stored, so appended to only.
const (
	dirRoot = iota + 1
	dirParent
	dirName
	dirEntries
	dirVisible
	dirOlder
	dirSubDirs
	dirUploads
	dirEpoch
	dirIntent
	dirSealed
	dirTags
)

const formTagged = 0x01 // first byte of all values that are only tagged fields

// AppendDir appends the value of a directory record.
func AppendDir(b []byte, d *Dir) []byte {
	b = append(b, formTagged)
	b = appendID(b, dirRoot, d.Root)
	b = appendID(b, dirParent, d.Parent)
	b = appendStringField(b, dirName, d.Name)
	b = appendUintField(b, dirEntries, uint64(d.Entries))
	b = appendUintField(b, dirVisible, uint64(d.Visible))
	b = appendUintField(b, dirOlder, uint64(d.Older))
	b = appendUintField(b, dirSubDirs, uint64(d.SubDirs))
	b = appendUintField(b, dirUploads, uint64(d.Uploads))
	b = appendUintField(b, dirEpoch, d.Epoch)
	b = appendUintField(b, dirIntent, d.Intent)
	if d.Sealed {
		b = appendUintField(b, dirSealed, 1)
	}
	return append(b, d.Extra...)
}

func appendID(b []byte, tag uint64, d holdfast.DirID) []byte {
	if d.IsZero() {
		return b
	}
	return appendField(b, tag, d[:])
}

// DecodeDir reads a directory record.
func DecodeDir(d *Dir, v []byte) error {
	*d = Dir{}
	r := reader{b: v}
	if r.byte() != formTagged {
		return errFormat
	}
	for {
		tag, body, ok := r.field()
		if !ok {
			break
		}
		d.field(tag, &body)
		r.bad = r.bad || body.bad
	}
	return r.err()
}

func (d *Dir) field(tag uint64, body *reader) {
	switch tag {
	case dirRoot:
		body.fill(d.Root[:])
	case dirParent:
		body.fill(d.Parent[:])
	case dirName:
		d.Name = string(body.b)
	case dirEntries:
		d.Entries = body.size()
	case dirVisible:
		d.Visible = body.size()
	case dirOlder:
		d.Older = body.size()
	case dirSubDirs:
		d.SubDirs = body.size()
	case dirUploads:
		d.Uploads = body.size()
	case dirEpoch:
		d.Epoch = body.uvarint()
	case dirIntent:
		d.Intent = body.uvarint()
	case dirSealed:
		d.Sealed = body.uvarint() == 1
	default:
		d.Extra = appendField(d.Extra, tag, body.b)
	}
}

// Tags of a bucket record; stored, so appended to only.
const (
	bucketName = iota + 1
	bucketOwner
	bucketCreated
	bucketVersioning
	bucketLock
	bucketEpoch
	bucketSetting // name, value; one field each
)

// AppendBucket appends the value of a bucket record. The root is in the key.
func AppendBucket(b []byte, i *holdfast.BucketInfo) []byte {
	b = append(b, formTagged)
	b = appendStringField(b, bucketName, i.Name)
	b = appendStringField(b, bucketOwner, i.Owner)
	b = appendField(b, bucketCreated, appendTime(nil, i.Created))
	b = appendUintField(b, bucketVersioning, uint64(i.Versioning))
	if i.ObjectLock {
		b = appendUintField(b, bucketLock, 1)
	}
	b = appendUintField(b, bucketEpoch, i.Epoch)
	for _, name := range slices.Sorted(maps.Keys(i.Settings)) {
		b = appendField(b, bucketSetting, append(appendString(nil, name), i.Settings[name]...))
	}
	return b
}

// DecodeBucket reads a bucket record.
func DecodeBucket(i *holdfast.BucketInfo, root holdfast.DirID, v []byte) error {
	*i = holdfast.BucketInfo{Root: root}
	r := reader{b: v}
	if r.byte() != formTagged {
		return errFormat
	}
	for {
		tag, body, ok := r.field()
		if !ok {
			break
		}
		bucketField(i, tag, &body)
		r.bad = r.bad || body.bad
	}
	return r.err()
}

func bucketField(i *holdfast.BucketInfo, tag uint64, body *reader) {
	switch tag {
	case bucketName:
		i.Name = string(body.b)
	case bucketOwner:
		i.Owner = string(body.b)
	case bucketCreated:
		i.Created = body.time()
	case bucketVersioning:
		i.Versioning = holdfast.Versioning(body.uvarint())
	case bucketLock:
		i.ObjectLock = body.uvarint() == 1
	case bucketEpoch:
		i.Epoch = body.uvarint()
	case bucketSetting:
		name := string(body.chunk())
		if i.Settings == nil {
			i.Settings = map[string][]byte{}
		}
		i.Settings[name] = append([]byte{}, body.b...)
	}
}

// AppendUsage appends the value of a usage record.
func AppendUsage(b []byte, u holdfast.Usage) []byte {
	b = append(b, formTagged)
	for i, n := range [...]int64{u.Objects, u.Versions, u.Bytes, u.UploadBytes} {
		b = appendUintField(b, uint64(i+1), uint64(n))
	}
	return b
}

// DecodeUsage reads a usage record.
func DecodeUsage(v []byte) (u holdfast.Usage, err error) {
	r := reader{b: v}
	if r.byte() != formTagged {
		return u, errFormat
	}
	into := [...]*int64{&u.Objects, &u.Versions, &u.Bytes, &u.UploadBytes}
	for {
		tag, body, ok := r.field()
		if !ok {
			break
		}
		if tag >= 1 && tag <= uint64(len(into)) {
			*into[tag-1] = body.size()
		}
		r.bad = r.bad || body.bad
	}
	return u, r.err()
}

// State is the server's own record, rewritten by every commit.
type State struct {
	Clock   uint64 // hybrid logical clock: no version, intent or garbage number is above it
	Seq     uint64 // last change
	First   uint64 // oldest change kept
	Names   int64  // versions and delete markers
	Garbage int64  // rows under KindGarbage
	Intents int64
}

// AppendState appends the value of the server's record.
func AppendState(b []byte, s *State) []byte {
	b = append(b, formTagged)
	for i, n := range [...]uint64{s.Clock, s.Seq, s.First, uint64(s.Names), uint64(s.Garbage), uint64(s.Intents)} {
		b = appendUintField(b, uint64(i+1), n)
	}
	return b
}

// DecodeState reads the server's record.
func DecodeState(s *State, v []byte) error {
	*s = State{}
	r := reader{b: v}
	if r.byte() != formTagged {
		return errFormat
	}
	var n [6]uint64
	for {
		tag, body, ok := r.field()
		if !ok {
			break
		}
		if tag >= 1 && tag <= uint64(len(n)) {
			n[tag-1] = body.uvarint()
		}
		r.bad = r.bad || body.bad
	}
	*s = State{n[0], n[1], n[2], int64(n[3]), int64(n[4]), int64(n[5])}
	return r.err()
}

// AppendSlot appends the value of a slot that is held.
func AppendSlot(b []byte) []byte { return append(b, formTagged) }

// AppendNull appends the value under a [NullKey].
func AppendNull(b []byte, v holdfast.VersionID) []byte { return append(append(b, formTagged), v[:]...) }

// DecodeNull reads the value under a [NullKey].
func DecodeNull(v []byte) (id holdfast.VersionID, err error) {
	if len(v) < 1+len(id) || v[0] != formTagged {
		return id, errFormat
	}
	copy(id[:], v[1:])
	return id, nil
}

// AppendGarbage appends the value of an object to be freed.
func AppendGarbage(b []byte, home holdfast.Slot, o holdfast.ObjectID) []byte {
	b = append(b, formTagged)
	b = binary.AppendUvarint(b, uint64(home))
	b = binary.AppendUvarint(b, uint64(o.Epoch))
	return binary.AppendUvarint(b, o.Counter)
}

// DecodeGarbage reads an object to be freed.
func DecodeGarbage(v []byte) (home holdfast.Slot, o holdfast.ObjectID, err error) {
	r := reader{b: v}
	if r.byte() != formTagged {
		return 0, o, errFormat
	}
	home = holdfast.Slot(r.uvarint())
	o.Epoch = holdfast.Epoch(r.uvarint())
	o.Counter = r.uvarint()
	return home, o, r.err()
}
