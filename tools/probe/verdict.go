package probe

import (
	"fmt"
	"slices"
	"time"

	"holdfast/membership/heartbeat"
)

// Verdict says whether a mount is fit.
type Verdict string

// The verdicts, also of single checks.
const (
	Fit        Verdict = "fit"
	Remarks    Verdict = "fit with remarks"
	Unfit      Verdict = "unfit"
	Unmeasured Verdict = "not measured"
)

// Check is one line of a report.
type Check struct {
	Name    string  `json:"check"`
	Verdict Verdict `json:"verdict"`
	Seen    string  `json:"seen"`
	// Consequence is what would go wrong, "" if nothing would.
	Consequence string `json:"consequence,omitempty"`
}

// Report is what a measurement means.
type Report struct {
	Verdict Verdict `json:"verdict"`
	Checks  []Check `json:"checks"`
	// Lease is the lease time T that fits the mount, 0 if none does.
	Lease       time.Duration `json:"-"`
	LeaseMS     int64         `json:"lease_ms"`
	LeaseReason string        `json:"lease_reason"`
	Measurement Measurement   `json:"measurement"`
}

// Judge says what a measurement means.
func Judge(m Measurement) Report {
	r := Report{Verdict: Fit, Measurement: m}
	if m.Hung != "" {
		r.Checks = []Check{{"answers", Unfit, m.Hung + " did not return in time",
			"services on this mount would hang as well; a host that hangs for longer than the lease loses its services"}}
	} else {
		r.Checks = slices.Concat(single(m), pair(m))
	}
	if m.Hung == "" {
		r.Lease, r.LeaseReason = lease(m)
	}
	if r.Lease == 0 && m.Hung == "" {
		r.Checks = append(r.Checks, Check{"lease", Unfit, r.LeaseReason, "hosts would lose their services again and again although nothing failed"})
	}
	r.LeaseMS = r.Lease.Milliseconds()
	for _, c := range r.Checks {
		switch {
		case c.Verdict == Unfit:
			r.Verdict = Unfit
		case c.Verdict != Fit && r.Verdict == Fit:
			r.Verdict = Remarks
		}
	}
	return r
}

// single judges what one host sees.
func single(m Measurement) []Check {
	checks := []Check{
		race("exclusive creation", m.Create),
		replace("rename over a file", m.Rename),
		syncing(m.Sync),
		atOnce("forced attribute read", m.Forced, staleForced),
		links(m.Links),
		data(m.Data),
		{"locks", Fit, "flock " + m.Lock.Flock + ", OFD " + m.Lock.OFD + " (nothing relies on them)", ""},
	}
	return checks
}

// What would go wrong.
const (
	twoOwners   = "two hosts could own one service at the same epoch and both acknowledge writes, of which one would be lost"
	staleForced = "an owner that was replaced would not see its fence and go on acknowledging writes that are lost (rule R1)"
	staleFresh  = "a takeover would copy an old state of the store and lose writes that were acknowledged"
	noSync      = "what was acknowledged would not survive a power failure"
	noRename    = "owners and settings could not be replaced as a whole"
)

func race(name string, r Race) Check {
	c := Check{Name: name, Verdict: Fit, Seen: fmt.Sprintf("%d names, one winner each", r.Names)}
	switch {
	case r.Several > 0:
		return Check{name, Unfit, fmt.Sprintf("%d of %d names had several winners", r.Several, r.Names), twoOwners}
	case r.Unsure > 0:
		return Check{name, Unfit, fmt.Sprintf("%d creations failed: %s", r.Unsure, r.Err), "link(2) is how a service is taken over: none could be"}
	case r.None > 0:
		return Check{name, Unfit, fmt.Sprintf("%d of %d names had no winner", r.None, r.Names), "services could stay without an owner"}
	}
	return c
}

func replace(name string, r Replace) Check {
	switch {
	case r.Err != "":
		return Check{name, Unfit, r.Err, noRename}
	case r.Torn > 0:
		return Check{name, Unfit, fmt.Sprintf("readers found %d mixtures in %d renames", r.Torn, r.Renames), noRename}
	case r.Missing > 0:
		return Check{name, Remarks, fmt.Sprintf("readers found no file %d times in %d renames", r.Missing, r.Renames),
			"who looks for the owner of a service at that moment has to ask again, which takes a little longer"}
	}
	return Check{name, Fit, fmt.Sprintf("%d times, readers found the old or the new content", r.Renames), ""}
}

// slowSync is from when on the latency of a sync is worth a remark: clients wait for one or two.
const slowSync = 50 * time.Millisecond

func syncing(s Sync) Check {
	const name = "fsync of files and directories"
	if s.Err != "" {
		return Check{name, Unfit, s.Err, noSync}
	}
	c := Check{Name: name, Verdict: Fit, Seen: fmt.Sprintf("fdatasync p50 %s, p99 %s, longest %s, %d stalls of 1 s or more in %d; directory p50 %s",
		short(s.P50), short(s.P99), short(s.Max), s.Stalls, s.Samples, short(s.Dir))}
	switch {
	case s.Stalls > 0:
		c.Verdict, c.Consequence = Remarks, "clients wait as long as the mount stalls; the lease must be longer than that"
	case s.P99 >= slowSync:
		c.Verdict, c.Consequence = Remarks, "each write is acknowledged after one or two such syncs: clients wait at least as long"
	}
	return c
}

func atOnce(name string, r Rounds, consequence string) Check {
	switch {
	case r.Err != "":
		return Check{name, Unfit, r.Err, consequence}
	case r.Stale > 0:
		return Check{name, Unfit, fmt.Sprintf("%d of %d were stale", r.Stale, r.Rounds), consequence}
	}
	return Check{name, Fit, fmt.Sprintf("%d of %d current", r.Rounds, r.Rounds), ""}
}

func links(l Links) Check {
	const name = "hard links"
	seen := fmt.Sprintf("%d names of one file", l.Names)
	if l.Err != "" {
		seen += ", then: " + l.Err
	}
	switch {
	case l.Names < minLinks:
		return Check{name, Unfit, seen, "a file needs three names: a temporary one, its own, and that of the next epoch"}
	case l.Wrong:
		return Check{name, Unfit, seen + ", which a forced attribute read counts wrongly", "an owner could take its fence for removed, or miss that it is"}
	case l.Names < l.Wanted:
		return Check{name, Remarks, seen, "a takeover copies the tables that have no link left instead of linking them, which takes longer"}
	}
	return Check{name, Fit, seen, ""}
}

func data(d Data) Check {
	const name = "holes and unbuffered writes"
	if d.Err != "" {
		return Check{name, Unfit, d.Err, "object servers could not write their pools"}
	}
	yes := map[bool]string{true: "yes", false: "no"}
	c := Check{Name: name, Verdict: Fit, Seen: "punch hole " + yes[d.Punch] + ", O_DIRECT " + yes[d.Direct]}
	if !d.Punch {
		c.Verdict, c.Consequence = Remarks, "space of deleted objects is used again, but not given back to the filesystem"
	}
	return c
}

// pair judges what another host sees.
func pair(m Measurement) []Check {
	const name = "another host"
	p := m.Pair
	switch {
	case p == nil && m.Local:
		return []Check{{name, Remarks, "only this host mounts " + m.Filesystem,
			"fit for a store on one host; no other host can take over its services"}}
	case p == nil:
		return []Check{{name, Unmeasured, "use --peer, or give a second mount of the same filesystem",
			"a mount may be right on one host and show another host what is old"}}
	case p.Err != "":
		return []Check{{name, Unfit, p.Err, "hosts of a cluster must see the same files"}}
	}
	checks := []Check{
		race("exclusive creation, two hosts", p.Create),
		atOnce("creation of what is remembered as absent", p.Absent, twoOwners),
		atOnce("forced attribute read, other host", p.Forced, staleForced),
		atOnce("file opened afresh, other host", p.Fresh, staleFresh),
		atOnce("listing after a creation, other host", p.Listing, staleFresh),
		replace("rename, read by the other host", p.Replace),
		delay("a name appears", p.Link, "services are found later after they moved"),
		delay("a name appears that was asked for before", p.Negative, "services are found later after they moved, because absence is remembered"),
		delay("a replaced file is seen", p.Renamed, "services are found later after they moved"),
		delay("a heartbeat is seen", p.Rewritten, "the lease must be longer than that"),
		information("the same, by an ordinary open", p.Kept),
		information("an open file shows what was rewritten", p.HeldRead),
		information("an unforced size is current", p.HeldSize),
		information("a listing shows a new name", p.Listed),
		{"locks, two hosts", Fit, "flock " + p.Flock + ", OFD " + p.OFD + " (nothing relies on them)", ""},
	}
	return checks
}

// slowSight is from when on it is worth a remark that changes are seen late.
const slowSight = time.Second

func delay(name string, d Delay, consequence string) Check {
	c := information(name, d)
	switch {
	case d.Err != "":
		c.Verdict, c.Consequence = Unfit, consequence
	case d.Never || d.Max >= slowSight:
		c.Verdict, c.Consequence = Remarks, consequence
	}
	return c
}

// information is a delay that nothing relies on.
func information(name string, d Delay) Check {
	switch {
	case d.Err != "":
		return Check{name, Fit, d.Err, ""}
	case d.Never:
		return Check{name, Fit, "not within " + short(d.Max), ""}
	}
	return Check{name, Fit, fmt.Sprintf("after %s, at most %s", short(d.P50), short(d.Max)), ""}
}

// ladder are the lease times that are proposed.
var ladder = [...]time.Duration{3, 5, 10, 15, 20, 30, 60}

// lease returns the lease time that fits, and why.
//
// A holder renews every T/5 and stops 4T/5 after its last renewal began, so a renewal may take up to 3T/5. An observer waits 6T/5 for a
// change; changes are T/5 apart, and a stall and a late sight may both come on top, so they may take T together. Half of both is
// kept in reserve, because the longest that was seen is not the longest there is.
func lease(m Measurement) (time.Duration, string) {
	const reserve = 2
	stalled := m.Sync.Max
	var late time.Duration
	if m.Pair != nil {
		if m.Pair.Rewritten.Never {
			return 0, "heartbeats were not seen within " + short(m.Pair.Rewritten.Max)
		}
		late = m.Pair.Rewritten.Max
	}
	need := reserve * max(stalled*5/3, stalled+late)
	seen := fmt.Sprintf("the longest sync took %s", short(stalled))
	if m.Pair != nil {
		seen += fmt.Sprintf(", heartbeats were seen after at most %s", short(late))
	}
	least := heartbeat.DefaultT
	if m.Local || m.ServerLoss {
		least = ladder[0] * time.Second
	} else {
		seen += "; shorter than the default only with --server-loss"
	}
	for _, t := range ladder {
		if t *= time.Second; t >= least && t >= need {
			return t, seen
		}
	}
	return 0, seen + fmt.Sprintf(": it would have to be %s", short(need))
}
