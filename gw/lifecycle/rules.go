package lifecycle

import (
	"math"
	"strings"
	"time"

	"holdfast"
	"holdfast/gw/s3api"
)

// Day is the length of a day in S3.
const Day = 24 * time.Hour

// Rules are the enabled rules of a bucket, ready to be asked. They are immutable. Day is how long a day is taken to be: tests of the
// runner shorten it.
type Rules struct {
	Day   time.Duration
	rules []s3api.LifecycleRule
	tags  bool
}

// New prepares a configuration.
func New(l *s3api.Lifecycle, day time.Duration) *Rules {
	r := &Rules{Day: day}
	for i := range l.Rules {
		if l.Rules[i].Enabled {
			r.rules = append(r.rules, l.Rules[i])
			r.tags = r.tags || len(l.Rules[i].Filter.Tags) > 0
		}
	}
	return r
}

// Empty reports whether no rule is enabled.
func (r *Rules) Empty() bool { return len(r.rules) == 0 }

// NeedTags reports whether a rule asks for tags.
func (r *Rules) NeedTags() bool { return r.tags }

// Prefix returns the longest prefix that all keys have which any rule is about.
func (r *Rules) Prefix() string {
	if r.Empty() {
		return ""
	}
	common := r.rules[0].Filter.Prefix
	for i := range r.rules {
		for !strings.HasPrefix(r.rules[i].Filter.Prefix, common) {
			common = common[:len(common)-1]
		}
	}
	return common
}

// Version is what the rules must know of a version, or of an upload.
type Version struct {
	Key  string
	Size int64
	Tags []holdfast.Header

	// Since is when it was written or, of a noncurrent version, when the one after it was; of an upload, when it was begun.
	Since time.Time

	// AnyTags says that the tags are not known: every condition on tags holds then.
	AnyTags bool
}

// after returns when something is due that happens a number of days after a moment: at the midnight after those days are over.
func (r *Rules) after(t time.Time, days int) time.Time {
	midnight := t.UTC().Truncate(r.Day) // counts from the midnight that began year 1
	if r.Day == Day {
		return midnight.AddDate(0, 0, days+1) // any number of days, which a duration is too small for
	}
	return midnight.Add(time.Duration(min(int64(days)+1, math.MaxInt64/int64(r.Day))) * r.Day)
}

// Expiry returns when the current version of a key expires and by which rule, the soonest of them; "" if never. The moment may have
// passed.
func (r *Rules) Expiry(v *Version) (due time.Time, rule string) {
	for i := range r.rules {
		x := &r.rules[i]
		if x.ExpireDays == 0 && x.ExpireDate.IsZero() || !matches(&x.Filter, v) {
			continue
		}
		at := x.ExpireDate
		if x.ExpireDays > 0 {
			at = r.after(v.Since, x.ExpireDays)
		}
		if rule == "" || at.Before(due) {
			due, rule = at, x.ID
		}
	}
	return due, rule
}

// NoncurrentDue reports whether a noncurrent version, or delete marker, is due now; newer is how many noncurrent ones of its key are newer.
func (r *Rules) NoncurrentDue(v *Version, newer int, now time.Time) bool {
	for i := range r.rules {
		x := &r.rules[i]
		if x.NoncurrentDays > 0 && newer >= x.NewerVersions && matches(&x.Filter, v) && !now.Before(r.after(v.Since, x.NoncurrentDays)) {
			return true
		}
	}
	return false
}

// MarkerDue reports whether a delete marker is due that is all there is of its key. Rules that expire objects by age or date mean these
// markers too.
func (r *Rules) MarkerDue(v *Version, now time.Time) bool {
	for i := range r.rules {
		if x := &r.rules[i]; x.ExpireDeleteMarkers && matches(&x.Filter, v) {
			return true
		}
	}
	due, rule := r.Expiry(v)
	return rule != "" && !now.Before(due)
}

// Abort returns when an upload is aborted and by which rule, the soonest of them; "" if never.
func (r *Rules) Abort(v *Version) (due time.Time, rule string) {
	for i := range r.rules {
		x := &r.rules[i]
		if x.AbortDays == 0 || !strings.HasPrefix(v.Key, x.Filter.Prefix) {
			continue
		}
		if at := r.after(v.Since, x.AbortDays); rule == "" || at.Before(due) {
			due, rule = at, x.ID
		}
	}
	return due, rule
}

// Uploads reports whether any rule is about multipart uploads.
func (r *Rules) Uploads() bool {
	return r.any(func(x *s3api.LifecycleRule) bool { return x.AbortDays > 0 })
}

// Current reports whether any rule expires current versions.
func (r *Rules) Current() bool {
	return r.any(func(x *s3api.LifecycleRule) bool { return x.ExpireDays > 0 || !x.ExpireDate.IsZero() })
}

// Objects reports whether any rule is about versions of any kind.
func (r *Rules) Objects() bool {
	return r.Current() || r.any(func(x *s3api.LifecycleRule) bool { return x.NoncurrentDays > 0 || x.ExpireDeleteMarkers })
}

func (r *Rules) any(is func(*s3api.LifecycleRule) bool) bool {
	for i := range r.rules {
		if is(&r.rules[i]) {
			return true
		}
	}
	return false
}

// matches reports whether everything in a filter holds for a version.
func matches(f *s3api.LifecycleFilter, v *Version) bool {
	if !strings.HasPrefix(v.Key, f.Prefix) || f.Larger >= 0 && v.Size <= f.Larger || f.Smaller >= 0 && v.Size >= f.Smaller {
		return false
	}
	for _, want := range f.Tags {
		if !v.AnyTags && !hasTag(v.Tags, want) {
			return false
		}
	}
	return true
}

func hasTag(tags []holdfast.Header, want holdfast.Header) bool {
	for _, t := range tags {
		if t == want {
			return true
		}
	}
	return false
}
