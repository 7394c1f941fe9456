package s3api

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxReplicationRules bounds the rules of a replication configuration.
const MaxReplicationRules = 1000

// bucketARN begins the ARN of a bucket.
const bucketARN = "arn:aws:s3:::"

// ReplicationConfig is the document of PutBucketReplication
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketReplication.html): what is copied to which other buckets.
type ReplicationConfig struct {
	Role  string
	Rules []ReplicationRule
}

// ReplicationRule is one rule. A rule with a filter is one of the second version of the document, which has a priority and says what
// becomes of delete markers.
type ReplicationRule struct {
	ID            string // never ""
	Priority      *int
	Filter        *ReplicationFilter // nil: Prefix counts
	Prefix        string
	Enabled       bool
	DeleteMarkers *bool
	Bucket        string       // of the copies
	Account       string       // that owns it; "" is not held against anything
	StorageClass  StorageClass // of the copies; "": that of the source
}

// ReplicationFilter says which keys a rule is about: those with the prefix and all the tags.
type ReplicationFilter struct {
	Prefix *string
	Tags   []Tag
}

// DecodeReplication decodes a ReplicationConfiguration document. Elements about encryption by keys of a key service, ownership of copies,
// existing objects and times are NotImplemented.
func DecodeReplication(body []byte) (ReplicationConfig, error) {
	var c ReplicationConfig
	var seen map[string]bool
	err := decodeRoot(body, "ReplicationConfiguration", func(s *scanner, name string) error {
		switch {
		case name == "Role":
			return s.once(&seen, name, &c.Role)
		case name == "Rule" && len(c.Rules) < MaxReplicationRules:
			rule, err := s.replicationRule()
			c.Rules = append(c.Rules, rule)
			return err
		}
		return s.fail("unexpected element " + name)
	})
	if err == nil && (!seen["Role"] || len(c.Rules) == 0) {
		err = E(MalformedXML)
	}
	if err == nil {
		err = c.check()
	}
	if err != nil {
		return ReplicationConfig{}, err
	}
	return c, nil
}

func (s *scanner) replicationRule() (ReplicationRule, error) {
	var r ReplicationRule
	var seen map[string]bool
	var priority, status string
	err := s.each(func(name string) error {
		switch name {
		case "ID":
			return s.once(&seen, name, &r.ID)
		case "Priority":
			return s.once(&seen, name, &priority)
		case "Prefix":
			return s.once(&seen, name, &r.Prefix)
		case "Status":
			return s.once(&seen, name, &status)
		case "Filter":
			if r.Filter != nil {
				return s.fail("second Filter")
			}
			r.Filter = new(ReplicationFilter)
			return s.replicationFilter(r.Filter, true)
		case "DeleteMarkerReplication":
			return s.markerStatus(&r)
		case "Destination":
			if r.Bucket != "" {
				return s.fail("second Destination")
			}
			return s.destination(&r)
		case "SourceSelectionCriteria", "ExistingObjectReplication":
			return replicationRefused(name)
		}
		return s.fail("unexpected element " + name)
	})
	if err != nil {
		return r, err
	}
	if seen["Priority"] {
		n, err := strconv.ParseInt(strings.TrimSpace(priority), 10, 32)
		if err != nil || n < 0 {
			return r, s.fail("Priority is no number")
		}
		p := int(n)
		r.Priority = &p
	}
	r.Enabled = status == "Enabled"
	if r.Bucket == "" || status != "Enabled" && status != "Disabled" || r.Filter != nil && seen["Prefix"] {
		return r, s.fail("rule without Destination or Status, or with Filter and Prefix")
	}
	return r, nil
}

func replicationRefused(name string) error {
	return E(NotImplemented).WithMessage("The " + name + " element of ReplicationConfiguration is not implemented")
}

// replicationFilter reads a Filter, or the And in one.
func (s *scanner) replicationFilter(f *ReplicationFilter, and bool) error {
	return s.each(func(name string) error {
		switch {
		case name == "And" && and && f.Prefix == nil && f.Tags == nil:
			return s.replicationFilter(f, false)
		case name == "Prefix" && f.Prefix == nil && (!and || f.Tags == nil):
			text, err := s.text()
			f.Prefix = &text
			return err
		case name == "Tag" && (!and || f.Prefix == nil && f.Tags == nil) && len(f.Tags) < MaxObjectTags:
			tag, err := s.tag()
			f.Tags = append(f.Tags, tag)
			return err
		}
		return s.fail("unexpected element " + name)
	})
}

func (s *scanner) markerStatus(r *ReplicationRule) error {
	var status string
	if err := s.only("Status", &status); err != nil {
		return err
	}
	if r.DeleteMarkers != nil || status != "Enabled" && status != "Disabled" {
		return s.fail("second DeleteMarkerReplication, or one of an unknown Status")
	}
	enabled := status == "Enabled"
	r.DeleteMarkers = &enabled
	return nil
}

func (s *scanner) destination(r *ReplicationRule) error {
	var arn, class string
	var seen map[string]bool
	err := s.each(func(name string) error {
		switch name {
		case "Bucket":
			return s.once(&seen, name, &arn)
		case "Account":
			return s.once(&seen, name, &r.Account)
		case "StorageClass":
			return s.once(&seen, name, &class)
		case "AccessControlTranslation", "EncryptionConfiguration", "ReplicationTime", "Metrics":
			return replicationRefused(name)
		}
		return s.fail("unexpected element " + name)
	})
	if err != nil {
		return err
	}
	bucket, ok := strings.CutPrefix(arn, bucketARN)
	switch {
	case !seen["Bucket"]:
		return s.fail("no Bucket")
	case !ok || !plausibleBucket(bucket):
		return BadArgument("Bucket", arn, "Invalid bucket ARN")
	case class != "" && !storageClasses[StorageClass(class)]:
		return s.fail("unknown StorageClass")
	}
	r.Bucket, r.StorageClass = bucket, StorageClass(class)
	return nil
}

// check validates the rules beside one another and gives ids to those without.
func (c *ReplicationConfig) check() error {
	ids, priorities := make(map[string]bool), make(map[int]bool)
	for i := range c.Rules {
		r := &c.Rules[i]
		if err := r.check(); err != nil {
			return err
		}
		if r.Priority != nil {
			if priorities[*r.Priority] {
				return BadArgument("Priority", strconv.Itoa(*r.Priority), "Found duplicate priority "+strconv.Itoa(*r.Priority))
			}
			priorities[*r.Priority] = true
		}
		if r.ID == "" {
			sum := sha256.Sum256(strconv.AppendInt(r.append(nil), int64(i), 10))
			r.ID = hex.EncodeToString(sum[:16])
		}
		if ids[r.ID] {
			return BadArgument("ID", r.ID, "Rule Id must be unique. Found same Id for more than one rule")
		}
		ids[r.ID] = true
	}
	return nil
}

func (r *ReplicationRule) check() error {
	const version = " for this version of Cross Region Replication configuration schema. Please refer to S3 Developer Guide for more information."
	switch {
	case utf8.RuneCountInString(r.ID) > maxRuleID:
		return BadArgument("ID", r.ID, "ID length exceeded allowed limit of 255")
	case r.Filter != nil && r.Priority == nil:
		return E(InvalidRequest).WithMessage("Priority must be specified" + version)
	case r.Filter != nil && r.DeleteMarkers == nil:
		return E(InvalidRequest).WithMessage("DeleteMarkerReplication must be specified" + version)
	case r.Filter == nil && r.DeleteMarkers != nil:
		return E(InvalidRequest).WithMessage("DeleteMarkerReplication cannot be used" + version)
	case r.Filter != nil && len(r.Filter.Tags) > 0 && *r.DeleteMarkers:
		return E(InvalidRequest).WithMessage("Delete marker replication is not supported if any Tag filter is specified. " +
			"Please refer to S3 Developer Guide for more information.")
	case r.Filter != nil:
		return checkTags(r.Filter.Tags, MaxObjectTags)
	}
	return nil
}

// Append appends the document.
func (c *ReplicationConfig) Append(dst []byte) []byte {
	dst = appendRoot(dst, "ReplicationConfiguration")
	dst = appendElement(dst, "Role", c.Role)
	for i := range c.Rules {
		dst = c.Rules[i].append(dst)
	}
	return appendClose(dst, "ReplicationConfiguration")
}

func (r *ReplicationRule) append(dst []byte) []byte {
	dst = appendOpen(dst, "Rule")
	dst = appendElement(dst, "ID", r.ID)
	if r.Priority != nil {
		dst = appendInt(dst, "Priority", int64(*r.Priority))
	}
	if r.Filter != nil {
		dst = r.Filter.append(dst)
	} else {
		dst = appendElement(dst, "Prefix", r.Prefix)
	}
	dst = appendStatus(dst, r.Enabled)
	dst = appendOpen(dst, "Destination")
	dst = appendElement(dst, "Bucket", bucketARN+r.Bucket)
	dst = appendOptional(dst, "Account", r.Account)
	dst = appendOptional(dst, "StorageClass", string(r.StorageClass))
	dst = appendClose(dst, "Destination")
	if r.DeleteMarkers != nil {
		dst = appendOpen(dst, "DeleteMarkerReplication")
		dst = appendStatus(dst, *r.DeleteMarkers)
		dst = appendClose(dst, "DeleteMarkerReplication")
	}
	return appendClose(dst, "Rule")
}

func (f *ReplicationFilter) append(dst []byte) []byte {
	dst = appendOpen(dst, "Filter")
	and := len(f.Tags) > 1 || f.Prefix != nil && len(f.Tags) > 0
	if and {
		dst = appendOpen(dst, "And")
	}
	if f.Prefix != nil {
		dst = appendElement(dst, "Prefix", *f.Prefix)
	}
	for _, t := range f.Tags {
		dst = appendOpen(dst, "Tag")
		dst = appendElement(dst, "Key", t.Key)
		dst = appendElement(dst, "Value", t.Value)
		dst = appendClose(dst, "Tag")
	}
	if and {
		dst = appendClose(dst, "And")
	}
	return appendClose(dst, "Filter")
}

func appendStatus(dst []byte, enabled bool) []byte {
	if enabled {
		return appendElement(dst, "Status", "Enabled")
	}
	return appendElement(dst, "Status", "Disabled")
}
