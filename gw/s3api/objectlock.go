package s3api

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// LockMode is a retention mode of object lock.
type LockMode string

// The modes (https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html).
const (
	Governance LockMode = "GOVERNANCE"
	Compliance LockMode = "COMPLIANCE"
)

func (m LockMode) valid() bool { return m == Governance || m == Compliance }

// Limits of the period of a default retention, those of S3: a hundred years.
const (
	maxLockDays  = 36_500
	maxLockYears = 100
)

// Retention keeps a version until a time. The zero value keeps nothing.
type Retention struct {
	Mode  LockMode
	Until time.Time
}

// DefaultRetention is what a bucket gives the versions that are written without a retention of their own: Days or Years, the other is 0. The
// zero value is none.
type DefaultRetention struct {
	Mode        LockMode
	Days, Years int
}

// From returns the retention of a version written at a time.
func (d DefaultRetention) From(t time.Time) Retention {
	if d.Mode == "" {
		return Retention{}
	}
	return Retention{d.Mode, t.AddDate(d.Years, 0, d.Days)}
}

// DecodeLockConfiguration decodes the body of PutObjectLockConfiguration
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLockConfiguration.html). A period that is not from one day to a hundred
// years is InvalidRetentionPeriod, anything else that is wrong MalformedXML.
func DecodeLockConfiguration(body []byte) (DefaultRetention, error) {
	if len(body) == 0 {
		return DefaultRetention{}, E(MissingRequestBodyError)
	}
	var d DefaultRetention
	var enabled string
	var seen map[string]bool
	err := decodeRoot(body, "ObjectLockConfiguration", func(s *scanner, name string) error {
		switch name {
		case "ObjectLockEnabled":
			return s.once(&seen, name, &enabled)
		case "Rule":
			if seen[name] {
				break
			}
			var err error
			if seen == nil {
				seen = make(map[string]bool)
			}
			seen[name] = true
			d, err = s.lockRule()
			return err
		}
		return s.fail("unexpected element " + name)
	})
	if err == nil && enabled != "Enabled" {
		err = E(MalformedXML)
	}
	return d, err
}

// lockRule reads the Rule of a lock configuration.
func (s *scanner) lockRule() (DefaultRetention, error) {
	var mode, days, years string
	var seen map[string]bool
	defaults := 0
	err := s.each(func(name string) error {
		if defaults++; name != "DefaultRetention" || defaults > 1 {
			return s.fail("unexpected element " + name)
		}
		return s.each(func(name string) error {
			switch name {
			case "Mode":
				return s.once(&seen, name, &mode)
			case "Days":
				return s.once(&seen, name, &days)
			case "Years":
				return s.once(&seen, name, &years)
			}
			return s.fail("unexpected element " + name)
		})
	})
	if err != nil {
		return DefaultRetention{}, err
	}
	d := DefaultRetention{Mode: LockMode(mode)}
	if !d.Mode.valid() || seen["Days"] == seen["Years"] {
		return DefaultRetention{}, s.fail("rule without mode, or without days or years, or with both")
	}
	if seen["Days"] {
		d.Days, err = s.period(days, maxLockDays)
	} else {
		d.Years, err = s.period(years, maxLockYears)
	}
	return d, err
}

func (s *scanner) period(text string, most int) (int, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 32)
	switch {
	case err != nil:
		return 0, s.fail("period is no number")
	case n <= 0:
		return 0, E(InvalidRetentionPeriod).WithMessage("Default retention period must be a positive integer value.")
	case n > int64(most):
		return 0, E(InvalidRetentionPeriod).WithMessage("Default retention period is too large.")
	}
	return int(n), nil
}

// AppendLockConfiguration appends the answer of GetObjectLockConfiguration for a bucket with object lock.
func AppendLockConfiguration(dst []byte, d DefaultRetention) []byte {
	const root = "ObjectLockConfiguration"
	dst = appendRoot(dst, root)
	dst = appendElement(dst, "ObjectLockEnabled", "Enabled")
	if d.Mode != "" {
		dst = appendOpen(dst, "Rule")
		dst = appendOpen(dst, "DefaultRetention")
		dst = appendElement(dst, "Mode", string(d.Mode))
		if d.Days > 0 {
			dst = appendInt(dst, "Days", int64(d.Days))
		} else {
			dst = appendInt(dst, "Years", int64(d.Years))
		}
		dst = appendClose(dst, "DefaultRetention")
		dst = appendClose(dst, "Rule")
	}
	return appendClose(dst, root)
}

// DecodeRetention decodes the body of PutObjectRetention; an empty Retention element takes the retention off. One half of a retention, and
// a mode or a time that is none, are MalformedXML.
func DecodeRetention(body []byte) (Retention, error) {
	if len(body) == 0 {
		return Retention{}, E(MissingRequestBodyError)
	}
	var mode, until string
	var seen map[string]bool
	err := decodeRoot(body, "Retention", func(s *scanner, name string) error {
		switch name {
		case "Mode":
			return s.once(&seen, name, &mode)
		case "RetainUntilDate":
			return s.once(&seen, name, &until)
		}
		return s.fail("unexpected element " + name)
	})
	if err != nil || len(seen) == 0 {
		return Retention{}, err
	}
	at, ok := parseISOTime(until)
	if !ok || !LockMode(mode).valid() {
		return Retention{}, E(MalformedXML)
	}
	return Retention{LockMode(mode), at}, nil
}

// AppendRetention appends the answer of GetObjectRetention.
func AppendRetention(dst []byte, r Retention) []byte {
	dst = appendRoot(dst, "Retention")
	dst = appendElement(dst, "Mode", string(r.Mode))
	dst = appendTimeElement(dst, "RetainUntilDate", r.Until)
	return appendClose(dst, "Retention")
}

// DecodeLegalHold decodes the body of PutObjectLegalHold.
func DecodeLegalHold(body []byte) (on bool, err error) {
	if len(body) == 0 {
		return false, E(MissingRequestBodyError)
	}
	var status string
	var seen map[string]bool
	err = decodeRoot(body, "LegalHold", func(s *scanner, name string) error {
		if name == "Status" {
			return s.once(&seen, name, &status)
		}
		return s.fail("unexpected element " + name)
	})
	if err == nil && status != "ON" && status != "OFF" {
		err = E(MalformedXML)
	}
	return status == "ON", err
}

// AppendLegalHold appends the answer of GetObjectLegalHold.
func AppendLegalHold(dst []byte, on bool) []byte {
	dst = appendRoot(dst, "LegalHold")
	dst = appendElement(dst, "Status", holdStatus(on))
	return appendClose(dst, "LegalHold")
}

func holdStatus(on bool) string {
	if on {
		return "ON"
	}
	return "OFF"
}

// The headers of object lock, in canonical form.
const (
	lockModeHeader  = "X-Amz-Object-Lock-Mode"
	lockUntilHeader = "X-Amz-Object-Lock-Retain-Until-Date"
	lockHoldHeader  = "X-Amz-Object-Lock-Legal-Hold"
)

// LockHeaders are what a write says of the lock of its version.
type LockHeaders struct {
	Retention Retention
	Hold      *bool // nil: nothing is said
}

// ParseLockHeaders reads the lock headers of PutObject, CopyObject and CreateMultipartUpload. A retention needs both its headers and a
// time after now.
func ParseLockHeaders(h http.Header, now time.Time) (LockHeaders, error) {
	var l LockHeaders
	switch hold := h.Get(lockHoldHeader); hold {
	case "":
	case "ON", "OFF":
		on := hold == "ON"
		l.Hold = &on
	default:
		return l, BadArgument("x-amz-object-lock-legal-hold", hold, "Legal Hold must be either of 'ON' or 'OFF'")
	}
	mode, until := LockMode(h.Get(lockModeHeader)), h.Get(lockUntilHeader)
	switch {
	case mode == "" && until == "":
		return l, nil
	case mode == "":
		return l, BadArgument("x-amz-object-lock-retain-until-date", until,
			"x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied")
	case until == "":
		return l, BadArgument("x-amz-object-lock-mode", string(mode),
			"x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied")
	case !mode.valid():
		return l, BadArgument("x-amz-object-lock-mode", string(mode), "Unknown wormMode directive.")
	}
	at, ok := parseISOTime(until)
	if !ok {
		return l, BadArgument("x-amz-object-lock-retain-until-date", until, "The retain until date must be provided in ISO 8601 format")
	}
	l.Retention = Retention{mode, at}
	return l, l.Retention.CheckFuture(now)
}

// CheckFuture refuses a retention that ends in the past.
func (r Retention) CheckFuture(now time.Time) error {
	if r.Mode == "" || r.Until.After(now) {
		return nil
	}
	return BadArgument("x-amz-object-lock-retain-until-date", string(AppendTime(nil, r.Until)), "The retain until date must be in the future!")
}

// SetLockHeaders sets the lock headers of the answer to a GET or HEAD.
func SetLockHeaders(h http.Header, l LockHeaders) {
	if l.Retention.Mode != "" {
		h[lockModeHeader] = []string{string(l.Retention.Mode)}
		h[lockUntilHeader] = []string{string(AppendTime(nil, l.Retention.Until))}
	}
	if l.Hold != nil {
		h[lockHoldHeader] = []string{holdStatus(*l.Hold)}
	}
}

// parseISOTime parses a time in ISO 8601; one without a zone is in UTC.
func parseISOTime(text string) (time.Time, bool) {
	for _, layout := range [...]string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "20060102T150405Z"} {
		if t, err := time.Parse(layout, strings.TrimSpace(text)); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}
