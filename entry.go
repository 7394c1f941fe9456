package holdfast

import "time"

// Entry is what the name servers keep for one version of one name.
type Entry struct {
	Version  VersionID // assigned by the commit; unique and ordered within the name
	Null     bool      // S3 shows the version as "null": written while versioning was off or suspended
	Marker   bool      // a delete marker: no content
	Modified time.Time // UTC, nanoseconds; S3 shows seconds or milliseconds. Zero in a request: the time of the commit
	Size     int64     // bytes of content

	ETag         ETag
	Checksum     Checksum
	Owner        string // user id of the owner
	StorageClass string // "" means STANDARD

	// Headers are the HTTP headers that a GET gives back, lower-case names, sorted by name: the system ones
	// (content-type, cache-control, …) and the user's (x-amz-meta-…).
	Headers []Header

	ACL   []byte   // encoded by gw; empty means private to the owner
	Tags  []Header // sorted by name
	Lock  Lock
	POSIX *POSIX // set by the file mount; nil for objects that S3 made

	// Sealed says how the content is encrypted, encoded by gw; empty: it is not. Sizes, offsets, ETag and checksums of a sealed entry
	// and its parts are those of the plain content, while each link has the size of what is stored, which is longer.
	Sealed []byte

	Content Content // zero in listings
}

// Header is one name with one value.
type Header struct{ Name, Value string }

// Header returns the value of the header with this lower-case name, "" when there is none.
func (e *Entry) Header(name string) string {
	for i := range e.Headers {
		if e.Headers[i].Name == name {
			return e.Headers[i].Value
		}
	}
	return ""
}

// LockMode is the S3 object lock mode; stored, so appended to only.
type LockMode uint8

// The lock modes.
const (
	LockNone LockMode = iota
	LockGovernance
	LockCompliance
)

// Lock is the object lock state of a version.
type Lock struct {
	Mode      LockMode
	Until     time.Time // end of the retention; zero with LockNone
	LegalHold bool
	HoldOff   bool // there is no legal hold because somebody said so, which S3 tells from one that never was
}

// IsZero reports whether nothing was ever said about a lock.
func (l Lock) IsZero() bool { return l == Lock{} }

// Forbids reports whether the lock forbids to remove the version. Bypass lifts governance mode.
func (l Lock) Forbids(now time.Time, bypass bool) bool {
	if l.LegalHold {
		return true
	}
	return l.Mode != LockNone && now.Before(l.Until) && !(bypass && l.Mode == LockGovernance)
}

// AllowsRetention reports whether the retention of next may take the place of this one: always when it has ended or is lifted by bypass,
// else only if it stays in the same mode and ends no earlier.
func (l Lock) AllowsRetention(next Lock, now time.Time, bypass bool) bool {
	l.LegalHold = false
	return !l.Forbids(now, bypass) || next.Mode == l.Mode && !next.Until.Before(l.Until)
}

// POSIX holds the attributes a file has and an object has not.
type POSIX struct {
	Mode   uint32 // st_mode with the type bits
	UID    uint32
	GID    uint32
	Access time.Time
	Change time.Time
	Target string // of a symbolic link
}

// Versioning is the versioning state of a bucket; stored, so appended to only.
type Versioning uint8

// The states. A bucket starts with VersioningOff and can never return to it.
const (
	VersioningOff Versioning = iota
	VersioningEnabled
	VersioningSuspended
)

// BucketInfo is the record of a bucket. It is kept with the bucket's root directory, on that directory's name server.
type BucketInfo struct {
	Name       string
	Root       DirID
	Owner      string // user id
	Created    time.Time
	Versioning Versioning
	ObjectLock bool
	Epoch      uint64 // grows with every change of the record and with every directory rename in the bucket

	// Settings are the bucket's sub-resources (acl, policy, cors, …) by name, each in the encoding of its owner.
	Settings map[string][]byte
}

// Usage is what a bucket holds on one name server; the bucket's usage is the sum over all of them.
type Usage struct {
	Objects     int64 // visible current objects
	Versions    int64 // all versions and delete markers, visible ones included
	Bytes       int64 // of all versions
	UploadBytes int64 // of the parts of unfinished uploads
}

// Add adds o to u.
func (u *Usage) Add(o Usage) {
	u.Objects += o.Objects
	u.Versions += o.Versions
	u.Bytes += o.Bytes
	u.UploadBytes += o.UploadBytes
}

// Upload is the record of an unfinished multipart upload.
type Upload struct {
	ID        UploadID
	Initiated time.Time
	Initiator string // user id
	Entry     Entry  // what the completed object will get: headers, owner, class, tags, ACL, lock; Checksum holds algorithm and type
}

// UploadedPart is one part of an unfinished upload.
type UploadedPart struct {
	Part     Part // Offset and From are 0
	Modified time.Time
}
