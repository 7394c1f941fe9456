package holdfast

import (
	"context"
	"time"
)

// Limits of [NameService]. A request over a limit is [TooLarge] and changes nothing.
const (
	MaxName    = 1024   // bytes of one name (S3 keys are that long at most)
	MaxTxs     = 1000   // transactions in one Apply
	MaxTxOps   = 64     // operations of one transaction
	MaxLookups = 1000   // questions in one Lookup
	MaxList    = 10_000 // items in one page of a List
	MaxParts   = 10_000 // parts of a multipart upload
	MaxNote    = 4096   // bytes of the note of a transaction
)

// NameService is the contract of a name server: directories of names in the slots it holds, changed by small atomic
// transactions, read by lookups and ordered scans. Implementations: the engine (namesrv), its RPC client
// (namesrv/namerpc), the in-memory one (namesrv/nametest); nametest.Suite runs against all.
//
// All methods are safe for concurrent use; requests and replies share no memory with the implementation after return.
// Replies tell only what is durable and fenced: a reader never sees a change that a crash could take back. Every
// method may return [NotOwner] (also for a slot the server does not hold), [Unavailable], [Overload], [Aborted];
// these may be retried, and so may [Unknown], since every transaction is safe to apply twice: operations are
// conditional on ids that are never reused, or carry a link whose fate is found committed.
type NameService interface {
	// Lookup answers a batch of questions, each on its own: the reply has one answer per question, in order.
	Lookup(ctx context.Context, questions []Lookup) ([]Answer, error)

	// List scans directories, each request on its own: one page per request, in order.
	List(ctx context.Context, requests []ListRequest) ([]Page, error)

	// Apply runs transactions, each all or nothing and isolated, in the order given. It returns when every
	// outcome is durable and fenced (R1): one Result per transaction. The error is for the call as a whole: if it is not
	// nil, nothing is known about any of them ([Unknown]) or nothing was tried (the other kinds).
	Apply(ctx context.Context, txs []Tx) ([]Result, error)

	// BucketEpoch returns the present epoch of the bucket with this root; [DirGone] if there is none. It is
	// answered from memory after a check of lease and fence (R2).
	BucketEpoch(ctx context.Context, root DirID) (uint64, error)

	// Usage returns what this server holds of the bucket with this root, exact as of some moment during the call.
	Usage(ctx context.Context, root DirID) (Usage, error)

	// Settle tells the fates of objects of one object server, in order. An object that nobody committed gets a durable
	// [FateDoomed] first, so a commit that comes later fails with [Doomed]. The fate of a committed object is kept until
	// its bytes are given up, so it may be asked for any number of times.
	Settle(ctx context.Context, os ServiceID, objects []GuardedObject) ([]Fate, error)

	// Changes returns up to limit records of the change log with sequences after the given one, oldest first. If records
	// that old were cut off, the error is [NotFound] and the reader starts over from a scan.
	Changes(ctx context.Context, after uint64, limit int) ([]Change, error)

	// Intents returns up to limit unfinished multi-step operations that are older than the given age, in the
	// order of ids after the given one. volume completes or undoes them.
	Intents(ctx context.Context, after IntentID, olderThan time.Duration, limit int) ([]Intent, error)

	// Status tells counts and load; for placement, metrics and operators.
	Status(ctx context.Context) (NameStatus, error)
}

// Lookup is one question. Starting at Dir, the server walks the Path components (each ends in "/") as far as the
// directories are in its own slots, then looks for what is asked in the directory it ended in.
type Lookup struct {
	Dir  DirID
	Path []string

	Want    Want
	Name    string    // WantEntry, WantUpload, WantParts: the name in the directory
	Version VersionID // WantEntry: this version; zero: the current one
	Null    bool      // WantEntry: the null version
	Upload  UploadID  // WantUpload, WantParts
	After   int       // WantParts: part numbers after this one
	Limit   int       // WantParts: at most this many; 0 means MaxParts
}

// Want says what a [Lookup] is for.
type Want uint8

// The wants.
const (
	WantEntry  Want = iota // a version of a name, with its content
	WantDir                // only the directory's state
	WantBucket             // the record of the bucket that the directory is the root of
	WantUpload             // an unfinished upload
	WantParts              // an unfinished upload and its parts, in the order of part numbers
)

// Answer is the answer to a [Lookup].
type Answer struct {
	// Dirs are the directories the walk went through, one per component found.
	Dirs []DirID
	// Err is nil if what was asked is in the fields below. [NotFound]: a component or the name does not exist (Dirs tells
	// how far the walk came). [NotOwner] with a shorter Dirs than Path: the last of Dirs is in a slot of another server; go on
	// there. [DirGone]: Dir was sealed or removed. [NoSuchUpload].
	Err error

	Entry  Entry      // WantEntry; on NotFound with Entry.Marker set, the current version is that delete marker
	State  DirState   // WantDir
	Bucket BucketInfo // WantBucket
	Upload Upload     // WantUpload, WantParts
	Parts  []UploadedPart
	More   bool // WantParts: there are more
}

// DirState describes a directory.
type DirState struct {
	Parent  DirID // hints: where it is linked, as last known
	Name    string
	Bucket  DirID // root directory of the bucket it belongs to
	Entries int64 // everything it holds: names, markers, versions, sub-directories, uploads
	Visible int64 // names with a visible current version
	Sealed  bool
}

// Listing says what a scan shows.
type Listing uint8

// The listings.
const (
	ListObjects  Listing = iota // visible current versions
	ListVersions                // all versions and delete markers, by name, newest first
	ListUploads                 // unfinished uploads, by name, then by upload id (see Upload index operations)
)

// ListRequest asks for one page of a directory, in byte order of names; a sub-directory counts as its name with "/".
type ListRequest struct {
	Dir  DirID
	What Listing

	// Prefix restricts the page to names (paths, if Recursive) that begin with it.
	Prefix string
	// From is where the page begins, a name (path): inclusive, or exclusive with After set. With ListVersions and After,
	// FromVersion continues within the versions of From; with ListUploads, FromUpload within its uploads.
	From        string
	After       bool
	FromVersion VersionID
	FromUpload  UploadID

	// Recursive expands sub-directories in place, as far as they are in slots of this server; item names are paths relative to
	// Dir then. One in another server's slot stays in the page as an unexpanded item.
	Recursive bool

	// WithContent fills Entry.Content (for garbage collection and fsck); listings leave it zero.
	WithContent bool

	Limit int // 1 … MaxList
}

// Page is the reply to a [ListRequest].
type Page struct {
	Err   error // [DirGone], [NotOwner], [Invalid]; Items is empty then
	Items []Item
	More  bool // there are items after the last one
}

// Item is one line of a page: a sub-directory if Dir is set, else an entry or an upload.
type Item struct {
	Name  string // relative to the listed directory; ends in "/" for a sub-directory
	Entry *Entry // ListObjects, ListVersions; may lack ACL, Tags, POSIX and Headers. Latest tells whether it is the current version
	// Latest is set on the newest version of a name, a delete marker too.
	Latest bool
	Upload *Upload // ListUploads

	Dir     DirID
	Visible Visibility // of a sub-directory
}

// Visibility tells whether a sub-directory holds a key that S3 would list.
type Visibility uint8

// The visibilities.
const (
	VisibleUnknown Visibility = iota // it is (in part) on another server: ask there
	VisibleYes
	VisibleNo
)

// Tx is a transaction: the operations take effect together or not at all.
type Tx struct {
	Ops []Op

	// Note is kept with each change of an entry that the transaction makes in the change log, for those who read it: at most
	// MaxNote bytes that mean nothing to the server.
	Note string
}

// Result is the outcome of a transaction. If Err is nil, Replies has one reply per operation. Else nothing was changed,
// and Failed is the index of the operation that failed, -1 if none in particular did.
type Result struct {
	Err     error
	Failed  int
	Replies []Reply
}

// Reply is what an operation brings back; which fields are set is said at each operation.
type Reply struct {
	Entry   Entry // PutEntry, SetEntry, CompleteUpload: as stored. DeleteEntry: Version, Null and Marker of what was added or removed
	Created bool  // PutEntry, CompleteUpload: there was no visible current version before
	Found   bool  // DeleteEntry: something was removed
	Dir     DirID // LinkDir: the directory that is linked under the name now
	Epoch   uint64
	Share   int64 // SetShare: in force now, NoShare if none
	Usage   Usage // SetShare: of the bucket on this server
}

// Op is an operation of a transaction: one of the types below, by value. All operations of one transaction must be in
// slots of the same server.
type Op interface{ Target() DirID }

// Conditions of a write on the current visible version of a name; all that are set must hold, else [Precondition]. IfMatch on
// a name that does not exist is [NotFound], as S3 answers it.
type Conditions struct {
	IfMatch     *ETag
	IfMatchAny  bool // exists at all ("*")
	IfNoneMatch bool // must not exist ("*")
	IfSize      *int64
	IfModified  *time.Time // to the second
}

// PutEntry makes Entry the current version of Name. Links of its content must not be [Doomed]; the commit records
// them as committed. If the (first) link is found committed by this very name, it is done already, and the reply is
// the entry of then. Off: the old version is replaced and its bytes are freed. Enabled: it becomes noncurrent. Suspended: the new version
// is the null version and replaces an older null version.
type PutEntry struct {
	Dir        DirID
	Name       string
	Entry      Entry
	Versioning Versioning
	If         Conditions
	Bucket     BucketCheck
}

// BucketCheck makes an operation fail with [Conflict] unless the bucket's epoch is still Epoch. The server checks it when
// it holds the bucket's root; the caller checks by BucketEpoch when it does not. Epoch 0 checks nothing.
//
// With Quota set, a transaction that makes the bucket larger fails with [QuotaExceeded] (and Failed -1) on a server that has no share of the bucket's
// quota; with a share it fails there when what the bucket holds on the server would be more than the share (see [SetShare]).
type BucketCheck struct {
	Root  DirID
	Epoch uint64
	Quota bool // the bucket has one
}

// DeleteEntry removes a version, or with Version zero and Null false the name: VersioningOff removes the current version,
// Enabled adds a delete marker, Suspended replaces the null version by a null delete marker. A name that does not exist
// is no error (Found is false; with versioning a marker is added all the same). [Locked] if the version's lock forbids it. If a
// version is named, the conditions are held against it, else against the current one.
type DeleteEntry struct {
	Dir        DirID
	Name       string
	Version    VersionID
	Null       bool
	Versioning Versioning
	Owner      string // of a delete marker
	If         Conditions
	Bypass     bool // of governance mode
	Bucket     BucketCheck
}

// SetEntry replaces the aspects in Mask of a version by those of Entry. A delete marker has none: it is [NotFound]. [Locked] if a
// retention that holds would be weakened, see [Lock.AllowsRetention].
type SetEntry struct {
	Dir     DirID
	Name    string
	Version VersionID
	Null    bool
	Mask    Aspect
	Entry   Entry
	If      Conditions
	Bypass  bool // of governance mode
}

// Aspect is a set of the changeable parts of an entry.
type Aspect uint8

// The aspects.
const (
	AspectHeaders Aspect = 1 << iota
	AspectACL
	AspectTags
	AspectRetention // Lock.Mode and Lock.Until
	AspectPOSIX
	AspectStorageClass
	AspectLegalHold // Lock.LegalHold and Lock.HoldOff

	AspectLock = AspectRetention | AspectLegalHold
)

// MakeDir creates the empty directory Dir and, in the same batch, an intent that removes it if it is found not linked later. Parent, Name: where
// it will be linked. Bucket is set for the root of a new bucket. Creating one that exists already is no error.
type MakeDir struct {
	Dir    DirID
	Parent DirID
	Name   string // ends in "/"
	Root   DirID  // of the bucket it belongs to; Dir itself for a bucket's root
	Bucket *BucketInfo
}

// LinkDir makes Child the sub-directory Name of Parent. If another one is there already: with Exclusive set the error is
// [Exists], else the reply's Dir is that one and nothing changes.
type LinkDir struct {
	Parent    DirID
	Name      string
	Child     DirID
	Exclusive bool
}

// UnlinkDir removes Name from Parent if it still is Child; anything else is no error and changes nothing.
type UnlinkDir struct {
	Parent DirID
	Name   string
	Child  DirID
}

// SealDir seals an empty directory for ever ([NotEmpty] otherwise): from then on every operation in it is [DirGone].
// Unfinished uploads do not count with Doom set: they are aborted. An intent to unlink and drop it is written along.
type SealDir struct {
	Dir  DirID
	Doom bool
}

// DropDir removes the record of a sealed directory that is unlinked, and its intent. One that does not exist is no error.
type DropDir struct{ Dir DirID }

// SetBucket changes the record of a bucket and bumps its epoch; the reply has the new one. Nil fields stay.
// Settings with a nil value are removed. Epoch ≠ 0: [Conflict] unless it is the present one.
type SetBucket struct {
	Root       DirID
	Epoch      uint64
	Owner      *string
	Versioning *Versioning
	ObjectLock *bool
	Settings   map[string][]byte
}

// CreateUpload records an unfinished upload of Name in Dir.
type CreateUpload struct {
	Dir    DirID
	Name   string
	Upload Upload
}

// PutPart records a part; an earlier one of the same number is replaced and its bytes are freed. The link is committed as in [PutEntry].
type PutPart struct {
	Dir    DirID
	Name   string
	Upload UploadID
	Part   Part
	Bucket BucketCheck
}

// CompleteUpload turns an upload into the current version of its name, in one batch: [InvalidPart] if a part is missing
// or has another ETag or checksum, [PartTooSmall] if one before the last is smaller than MinPart. Parts must be in ascending
// order ([Invalid]). Parts not listed are freed. The entry's ETag is the digest of the parts' digests; Checksum is
// what the caller gives. Done twice, the second reply is that of the first (for as long as the name server remembers; then
// [NoSuchUpload]).
type CompleteUpload struct {
	Dir        DirID
	Name       string
	Upload     UploadID
	Parts      []CompletedPart
	MinPart    int64
	Checksum   Checksum
	Versioning Versioning
	If         Conditions
	Bucket     BucketCheck
}

// CompletedPart is a row of a complete request.
type CompletedPart struct {
	Number   int
	ETag     ETag
	Checksum Checksum // zero: not compared
}

// AbortUpload removes an upload and frees its parts. [NoSuchUpload] if it is not there.
type AbortUpload struct {
	Dir    DirID
	Name   string
	Upload UploadID
}

// IndexUpload lists an upload under its full key in the bucket's upload index, which lives with the bucket's root and
// is what ListUploads on the root scans. The index is written before the upload and removed after it: entries without an
// upload are passed over by the reader.
type IndexUpload struct {
	Root   DirID
	Key    string
	Upload Upload
}

// UnindexUpload removes an upload from the index; one that is not there is no error.
type UnindexUpload struct {
	Root   DirID
	Key    string
	Upload UploadID
}

// DropIntent removes an intent that was completed or undone; one that is not there is no error.
type DropIntent struct {
	Dir DirID // any directory in the slot that keeps the intent
	ID  IntentID
}

// NoShare is the share of a server that may fill a bucket without bound.
const NoShare int64 = -1

// SetShare sets how many bytes a bucket may hold on this server: its share of the bucket's quota. From then on a transaction that makes
// the bucket larger here, counted as Bytes + UploadBytes of [Usage] with everything the transaction does, fails with [QuotaExceeded] if
// the bucket would hold more than the share. What does not make it larger is never refused.
//
// Epoch orders the settings of a share: one with an epoch before that of the share in force changes nothing. In any case the reply has
// Share, its Epoch, and Usage, all as of the end of the operation; so Epoch 0 is how a share is read.
//
// With Lower set, the share is never raised, and only lowered to what the bucket holds if that is more than Share. A server that had no
// share has one then. Without, it becomes Share; NoShare removes it, and so does DropDir of the bucket's root.
type SetShare struct {
	Dir   DirID // any directory in a slot of the server
	Root  DirID // of the bucket
	Epoch uint64
	Share int64
	Lower bool
}

// Target returns the directory that decides which server runs the operation.
func (o PutEntry) Target() DirID       { return o.Dir }
func (o DeleteEntry) Target() DirID    { return o.Dir }
func (o SetEntry) Target() DirID       { return o.Dir }
func (o MakeDir) Target() DirID        { return o.Dir }
func (o LinkDir) Target() DirID        { return o.Parent }
func (o UnlinkDir) Target() DirID      { return o.Parent }
func (o SealDir) Target() DirID        { return o.Dir }
func (o DropDir) Target() DirID        { return o.Dir }
func (o SetBucket) Target() DirID      { return o.Root }
func (o CreateUpload) Target() DirID   { return o.Dir }
func (o PutPart) Target() DirID        { return o.Dir }
func (o CompleteUpload) Target() DirID { return o.Dir }
func (o AbortUpload) Target() DirID    { return o.Dir }
func (o IndexUpload) Target() DirID    { return o.Root }
func (o UnindexUpload) Target() DirID  { return o.Root }
func (o DropIntent) Target() DirID     { return o.Dir }
func (o SetShare) Target() DirID       { return o.Dir }

// IntentID orders intents by age: the change sequence of the batch that wrote it, in the slot of its directory.
type IntentID struct {
	Slot Slot
	Seq  uint64
}

// IntentKind says what an intent is about; stored, so appended to only.
type IntentKind uint8

// The intents.
const (
	IntentLinkDir   IntentKind = iota + 1 // Dir was made and may not be linked as Name of Parent: drop the intent if it is, seal Dir if not
	IntentUnlinkDir                       // Dir was sealed: unlink it from Parent, then drop it
)

// Intent is an unfinished operation of several steps.
type Intent struct {
	ID     IntentID
	Kind   IntentKind
	Dir    DirID
	Parent DirID
	Name   string
	At     time.Time
}

// ChangeKind says what a change was; stored, so appended to only.
type ChangeKind uint8

// The kinds of changes.
const (
	ChangePut    ChangeKind = iota + 1 // a version became current
	ChangeMarker                       // a delete marker became current
	ChangeDelete                       // a version was removed
	ChangeAttr                         // aspects of a version changed
	ChangeLink                         // a sub-directory was linked
	ChangeUnlink                       // a sub-directory was unlinked
	ChangeBucket                       // a bucket's record changed
)

// Change is a record of the change log.
type Change struct {
	Seq     uint64 // dense and growing on one name server
	At      time.Time
	Kind    ChangeKind
	Bucket  DirID
	Dir     DirID
	Name    string
	Version VersionID
	Null    bool // the version is the null version
	Size    int64
	ETag    ETag
	Note    string // of the transaction
}

// NameStatus describes a name server.
type NameStatus struct {
	Slots    int    // slots it holds
	Names    int64  // entries
	Seq      uint64 // of the last change
	First    uint64 // of the first change that is kept; Seq+1 if none is
	Garbage  int64  // objects waiting to be freed
	Intents  int64
	InFlight int64
}
