package probe

import "time"

// Measurement is what was seen. A step that could not be done has its error in words in Err, "" if it could.
type Measurement struct {
	Dir        string  `json:"dir"`
	Filesystem string  `json:"filesystem"` // as the kernel names it
	Local      bool    `json:"local"`      // only one kernel mounts it at a time
	ServerLoss bool    `json:"server_loss"`
	Hung       string  `json:"hung,omitempty"` // the step that did not return in time
	Create     Race    `json:"create"`
	Rename     Replace `json:"rename"`
	Sync       Sync    `json:"sync"`
	Forced     Rounds  `json:"forced"` // forced reads that must show a growth by another handle of this host
	Links      Links   `json:"links"`
	Data       Data    `json:"data"`
	Lock       Lock    `json:"lock"`
	Pair       *Pair   `json:"pair,omitempty"` // from a second host or mount
}

// Race is exclusive creation by several at once.
type Race struct {
	Names   int    `json:"names"`   // raced for
	Several int    `json:"several"` // names that more than one was told to have won
	None    int    `json:"none"`    // names that nobody won
	Unsure  int    `json:"unsure"`  // creations of which the mount did not say what became
	Err     string `json:"error,omitempty"`
}

// Replace is renaming over a file while others read it.
type Replace struct {
	Renames int    `json:"renames"`
	Missing int    `json:"missing"` // times that a reader found no file
	Torn    int    `json:"torn"`    // times that a reader found neither the old nor the new content
	Err     string `json:"error,omitempty"`
}

// Sync is appending 4 KiB and fdatasync, over and over.
type Sync struct {
	Samples int           `json:"samples"`
	P50     time.Duration `json:"p50_ns"`
	P99     time.Duration `json:"p99_ns"`
	Max     time.Duration `json:"max_ns"`
	Stalls  int           `json:"stalls"` // that took [stall] or longer
	Dir     time.Duration `json:"directory_p50_ns"`
	Err     string        `json:"error,omitempty"`
}

// stall is from when on a sync is counted as a stall.
const stall = time.Second

// Rounds counts rounds that had to show a change at once.
type Rounds struct {
	Rounds int    `json:"rounds"`
	Stale  int    `json:"stale"` // that showed what was before
	Err    string `json:"error,omitempty"`
}

// Links are the names that one file can have.
type Links struct {
	Names  int    `json:"names"`  // reached
	Wanted int    `json:"wanted"` // tried
	Wrong  bool   `json:"wrong"`  // a forced read counts them wrongly
	Err    string `json:"error,omitempty"`
}

// Data is what pools use where they can.
type Data struct {
	Punch  bool   `json:"punch_hole"`
	Direct bool   `json:"direct"`
	Err    string `json:"error,omitempty"`
}

// Lock is what locks do, which nothing relies on: whether a second holder is kept out.
type Lock struct {
	Flock string `json:"flock"`
	OFD   string `json:"ofd"`
}

// What locks do.
const (
	Excludes = "excludes"
	Shares   = "does not exclude"
	NoLock   = "not offered"
)

// Pair is what another host, or another mount of the same filesystem, sees of what this one does.
type Pair struct {
	Peer      string        `json:"peer"`
	RoundTrip time.Duration `json:"round_trip_ns"` // of asking the other side, which is in every delay
	Create    Race          `json:"create"`
	Absent    Rounds        `json:"absent"`  // exclusive creation of a name that the other side remembers as absent; stale: it won
	Forced    Rounds        `json:"forced"`  // forced read of an open file that grew
	Fresh     Rounds        `json:"fresh"`   // a file opened afresh that grew
	Listing   Rounds        `json:"listing"` // a listing after a creation of the other side's own
	Replace   Replace       `json:"replace"`

	Link       Delay  `json:"link"`       // a name never asked for
	Negative   Delay  `json:"negative"`   // a name that was asked for before it was there
	Renamed    Delay  `json:"renamed"`    // by a fresh open
	Rewritten  Delay  `json:"rewritten"`  // in place, same length, by a fresh open: a heartbeat
	Kept       Delay  `json:"kept"`       // the same, by an open that keeps what pages there are
	HeldRead   Delay  `json:"held_read"`  // in place, by an open handle
	HeldSize   Delay  `json:"held_size"`  // growth, by an unforced attribute read
	Listed     Delay  `json:"listed"`     // a new name, by an ordinary listing
	Flock, OFD string `json:",omitempty"` // a lock held here, tried there
	Err        string `json:"error,omitempty"`
}

// Delay is how long a change took to be seen by the other side.
type Delay struct {
	Rounds int           `json:"rounds"`
	P50    time.Duration `json:"p50_ns"`
	Max    time.Duration `json:"max_ns"`
	Never  bool          `json:"never"` // not seen within the wait, which Max then is
	Err    string        `json:"error,omitempty"`
}
