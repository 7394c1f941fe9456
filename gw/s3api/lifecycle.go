package s3api

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"holdfast"
)

// Limits of a lifecycle configuration
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html).
const (
	maxLifecycleRules  = 1000
	maxLifecycleID     = 255
	maxLifecyclePrefix = 1024
	maxNewerVersions   = 100
)

// Lifecycle is a lifecycle configuration.
type Lifecycle struct{ Rules []LifecycleRule }

// LifecycleRule is one rule: which objects, and what becomes of them when.
type LifecycleRule struct {
	ID      string
	Enabled bool
	Filter  LifecycleFilter

	ExpireDays          int       // 0: not by age
	ExpireDate          time.Time // zero: not by date; else midnight UTC
	ExpireDeleteMarkers bool      // delete markers that are all that is left of a key
	deleteMarkerFalse   bool      // ExpiredObjectDeleteMarker is false, which means nothing but is given back

	NoncurrentDays int // 0: noncurrent versions stay
	NewerVersions  int // noncurrent versions that are kept all the same

	AbortDays int // of multipart uploads; 0: they stay
}

// LifecycleFilter says which objects a rule is about: those for which everything holds.
type LifecycleFilter struct {
	Prefix  string
	Tags    []holdfast.Header
	Larger  int64 // than so many bytes; -1: any size
	Smaller int64 // than so many bytes; -1: any size

	form filterForm
}

// filterForm is how a filter was written, to be given back so.
type filterForm uint8

const (
	formNone    filterForm = iota // neither Filter nor Prefix
	formLegacy                    // Prefix of the rule
	formEmpty                     // empty Filter
	formPrefix                    // Filter with one condition …
	formTag                       //
	formLarger                    //
	formSmaller                   //
	formAnd                       // … or several
)

// DecodeLifecycle decodes and checks the body of PutBucketLifecycleConfiguration. A rule without an id gets one from newID.
// Transitions are NotImplemented: there are no other storage tiers.
func DecodeLifecycle(body []byte, newID func() string) (*Lifecycle, error) {
	var l Lifecycle
	err := decodeRoot(body, "LifecycleConfiguration", func(s *scanner, name string) error {
		if name != "Rule" || len(l.Rules) == maxLifecycleRules {
			return s.fail("unexpected element " + name)
		}
		rule, err := s.lifecycleRule()
		l.Rules = append(l.Rules, rule)
		return err
	})
	if err == nil && len(l.Rules) == 0 {
		err = E(MalformedXML)
	}
	if err != nil {
		return nil, err
	}
	return &l, l.finish(newID)
}

// finish checks what concerns all rules, and names those without a name.
func (l *Lifecycle) finish(newID func() string) error {
	ids := make(map[string]bool, len(l.Rules))
	legacy, modern := false, false
	for i := range l.Rules {
		r := &l.Rules[i]
		if r.ID == "" {
			r.ID = newID()
		}
		if ids[r.ID] {
			return E(InvalidArgument).WithMessage("Rule ID must be unique. Found same ID for more than one rule")
		}
		ids[r.ID] = true
		legacy = legacy || r.Filter.form == formLegacy
		modern = modern || r.Filter.form > formLegacy
	}
	if legacy && modern {
		return E(InvalidRequest).WithMessage("Base level prefix cannot be used in Lifecycle V2, prefixes are only supported in the Filter.")
	}
	return nil
}

// lifecycleRule reads one Rule.
func (s *scanner) lifecycleRule() (LifecycleRule, error) {
	r := LifecycleRule{Filter: LifecycleFilter{Larger: -1, Smaller: -1}}
	var seen map[string]bool
	var status, legacy string
	actions := 0
	err := s.each(func(name string) error {
		switch name {
		case "ID":
			return s.once(&seen, name, &r.ID)
		case "Status":
			return s.once(&seen, name, &status)
		case "Prefix":
			return s.once(&seen, name, &legacy)
		case "Transition", "NoncurrentVersionTransition":
			return s.transition()
		}
		if seen[name] {
			return s.fail("repeated element " + name)
		}
		mark(&seen, name)
		switch name {
		case "Filter":
			return s.lifecycleFilter(&r.Filter)
		case "Expiration":
			actions++
			return s.expiration(&r)
		case "NoncurrentVersionExpiration":
			actions++
			return s.noncurrentExpiration(&r)
		case "AbortIncompleteMultipartUpload":
			actions++
			return s.abortUploads(&r)
		}
		return s.fail("unexpected element " + name)
	})
	switch {
	case err != nil:
		return r, err
	case status != "Enabled" && status != "Disabled", seen["Prefix"] == seen["Filter"]:
		return r, E(MalformedXML)
	case seen["Prefix"]:
		r.Filter.Prefix, r.Filter.form = legacy, formLegacy
	}
	r.Enabled = status == "Enabled"
	return r, r.check(actions)
}

// mark remembers that an element came.
func mark(seen *map[string]bool, name string) {
	if *seen == nil {
		*seen = make(map[string]bool, 4)
	}
	(*seen)[name] = true
}

// check checks a rule that was read whole.
func (r *LifecycleRule) check(actions int) error {
	f := &r.Filter
	switch {
	case utf8.RuneCountInString(r.ID) > maxLifecycleID:
		return E(InvalidArgument).WithMessage("ID length should not exceed allowed limit of 255")
	case len(f.Prefix) > maxLifecyclePrefix:
		return E(InvalidRequest).WithMessage("The maximum size of a prefix is 1024.")
	case actions == 0:
		return E(InvalidRequest).WithMessage("At least one action needs to be specified in a rule.")
	case r.ExpireDeleteMarkers && len(f.Tags) > 0:
		return E(InvalidRequest).WithMessage("ExpiredObjectDeleteMarker cannot be specified with Tags.")
	case r.AbortDays > 0 && len(f.Tags) > 0:
		return E(InvalidRequest).WithMessage("AbortIncompleteMultipartUpload cannot be specified with Tags.")
	case r.AbortDays > 0 && (f.Larger >= 0 || f.Smaller >= 0):
		return E(InvalidRequest).WithMessage("AbortIncompleteMultipartUpload cannot be specified with Object Size.")
	case f.Larger >= 0 && f.Smaller >= 0 && f.Smaller <= f.Larger+1:
		return E(InvalidRequest).WithMessage("'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.")
	}
	return nil
}

// lifecycleFilter reads a Filter, which has one condition or an And.
func (s *scanner) lifecycleFilter(f *LifecycleFilter) error {
	f.form = formEmpty
	err := s.each(func(name string) error {
		if f.form != formEmpty {
			return s.fail("second condition outside And")
		}
		if name != "And" {
			return s.condition(f, name)
		}
		conditions := 0
		var seen map[string]bool
		err := s.each(func(name string) error {
			if conditions++; name != "Tag" && seen[name] {
				return s.fail("repeated element " + name)
			}
			mark(&seen, name)
			return s.condition(f, name)
		})
		if err == nil && conditions < 2 {
			err = s.fail("And of less than two conditions")
		}
		f.form = formAnd
		return err
	})
	if err != nil {
		return err
	}
	return checkFilterTags(f.Tags)
}

// checkFilterTags holds the tags of a filter against the limits of tags.
func checkFilterTags(tags []holdfast.Header) error {
	keys := make(map[string]bool, len(tags))
	for _, t := range tags {
		switch n := utf8.RuneCountInString(t.Name); {
		case n < 1 || n > 128:
			return E(InvalidRequest).WithMessage("A Tag's Key must be a length between 1 and 128.")
		case utf8.RuneCountInString(t.Value) > 256:
			return E(InvalidRequest).WithMessage("A Tag's Value must be a length between 0 and 256.")
		case keys[t.Name]:
			return E(InvalidRequest).WithMessage("Duplicate Tag Keys are not allowed.")
		}
		keys[t.Name] = true
	}
	return nil
}

// condition reads one condition of a filter.
func (s *scanner) condition(f *LifecycleFilter, name string) (err error) {
	switch name {
	case "Prefix":
		f.form = formPrefix
		f.Prefix, err = s.text()
	case "Tag":
		var t holdfast.Header
		f.form = formTag
		t, err = s.lifecycleTag()
		f.Tags = append(f.Tags, t)
	case "ObjectSizeGreaterThan":
		f.form = formLarger
		f.Larger, err = s.size()
	case "ObjectSizeLessThan":
		f.form = formSmaller
		f.Smaller, err = s.size()
	default:
		err = s.fail("unexpected element " + name)
	}
	return err
}

// lifecycleTag reads a tag of a filter.
func (s *scanner) lifecycleTag() (t holdfast.Header, err error) {
	var seen map[string]bool
	err = s.each(func(name string) error {
		switch name {
		case "Key":
			return s.once(&seen, name, &t.Name)
		case "Value":
			return s.once(&seen, name, &t.Value)
		}
		return s.fail("unexpected element " + name)
	})
	if err == nil && (!seen["Key"] || !seen["Value"]) {
		err = s.fail("tag without key or value")
	}
	return t, err
}

// size reads a number of bytes.
func (s *scanner) size() (int64, error) {
	text, err := s.text()
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || n < 0 {
		return 0, s.fail("not a size")
	}
	return n, nil
}

// positive reads a number of days or versions that must be positive; action and element are for the message.
func (s *scanner) positive(element, action string, seen *map[string]bool, into *int) error {
	var text string
	if err := s.once(seen, element, &text); err != nil {
		return err
	}
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 32)
	if err != nil {
		return s.fail("not a number: " + element)
	}
	if n < 1 {
		return E(InvalidArgument).WithMessage("'" + element + "' for " + action + " action must be a positive integer")
	}
	*into = int(n)
	return nil
}

// expiration reads an Expiration, which has exactly one of its three elements.
func (s *scanner) expiration(r *LifecycleRule) error {
	var seen map[string]bool
	err := s.each(func(name string) error {
		var text string
		switch name {
		case "Days":
			return s.positive(name, "Expiration", &seen, &r.ExpireDays)
		case "Date":
			if err := s.once(&seen, name, &text); err != nil {
				return err
			}
			return s.midnight(text, &r.ExpireDate)
		case "ExpiredObjectDeleteMarker":
			if err := s.once(&seen, name, &text); err != nil {
				return err
			}
			r.ExpireDeleteMarkers = text == "true"
			if r.deleteMarkerFalse = text == "false"; !r.ExpireDeleteMarkers && !r.deleteMarkerFalse {
				return s.fail("neither true nor false")
			}
			return nil
		}
		return s.fail("unexpected element " + name)
	})
	if err == nil && len(seen) != 1 {
		return E(MalformedXML)
	}
	return err
}

// midnight reads the date of an expiration.
func (s *scanner) midnight(text string, into *time.Time) error {
	text = strings.TrimSpace(text)
	date, err := time.Parse(time.RFC3339Nano, text)
	if err != nil { // ISO 8601 without a zone, or the day alone
		if date, err = time.Parse("2006-01-02T15:04:05.999999999", text); err != nil {
			date, err = time.Parse(time.DateOnly, text)
		}
	}
	if err != nil {
		return s.fail("not a date")
	}
	if date = date.UTC(); !date.Equal(date.Truncate(24 * time.Hour)) {
		return BadArgument("Date", text, "'Date' must be at midnight GMT")
	}
	*into = date
	return nil
}

func (s *scanner) noncurrentExpiration(r *LifecycleRule) error {
	const action = "NoncurrentVersionExpiration"
	var seen map[string]bool
	err := s.each(func(name string) error {
		switch name {
		case "NoncurrentDays":
			return s.positive(name, action, &seen, &r.NoncurrentDays)
		case "NewerNoncurrentVersions":
			return s.positive(name, action, &seen, &r.NewerVersions)
		}
		return s.fail("unexpected element " + name)
	})
	switch {
	case err != nil:
		return err
	case r.NoncurrentDays == 0:
		return E(MalformedXML)
	case r.NewerVersions > maxNewerVersions:
		return E(InvalidArgument).WithMessage("'NewerNoncurrentVersions' for " + action + " action must be less than or equal to 100")
	}
	return nil
}

// transition reads a Transition or a NoncurrentVersionTransition, so that one that S3 would refuse is refused for the same reason, and
// refuses it.
func (s *scanner) transition() error {
	var seen map[string]bool
	var class string
	err := s.each(func(name string) error {
		var text string
		switch name {
		case "StorageClass":
			return s.once(&seen, name, &class)
		case "Date":
			if err := s.once(&seen, name, &text); err != nil {
				return err
			}
			return s.midnight(text, new(time.Time))
		case "Days", "NoncurrentDays", "NewerNoncurrentVersions":
			if err := s.once(&seen, name, &text); err != nil {
				return err
			}
			if _, err := strconv.ParseUint(strings.TrimSpace(text), 10, 31); err != nil {
				return s.fail("not a number: " + name)
			}
			return nil
		}
		return s.fail("unexpected element " + name)
	})
	if err == nil && !seen["StorageClass"] {
		err = s.fail("transition without a storage class")
	}
	if err != nil {
		return err
	}
	return E(NotImplemented).WithMessage("Lifecycle transitions are not implemented: there is one storage tier.")
}

func (s *scanner) abortUploads(r *LifecycleRule) error {
	var seen map[string]bool
	err := s.each(func(name string) error {
		if name == "DaysAfterInitiation" {
			return s.positive(name, "AbortIncompleteMultipartUpload", &seen, &r.AbortDays)
		}
		return s.fail("unexpected element " + name)
	})
	if err == nil && r.AbortDays == 0 {
		return E(MalformedXML)
	}
	return err
}
