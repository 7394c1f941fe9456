package s3api

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
)

// Limits of a notification configuration.
const (
	MaxNotificationRules = 100  // of a bucket
	maxNotificationID    = 255  // characters
	maxFilterValue       = 1024 // bytes
)

// NotificationKind is the kind of target a rule was written for. Where events go depends on the ARN alone; the kind only says
// which element the rule stands in.
type NotificationKind uint8

// The kinds, by their elements in a document.
const (
	TopicNotification    NotificationKind = iota // TopicConfiguration, Topic
	QueueNotification                            // QueueConfiguration, Queue
	FunctionNotification                         // CloudFunctionConfiguration, CloudFunction
	notificationKinds
)

// notificationElements names the elements of each kind: the rule, and its target.
var notificationElements = [notificationKinds]struct{ rule, target string }{
	TopicNotification:    {"TopicConfiguration", "Topic"},
	QueueNotification:    {"QueueConfiguration", "Queue"},
	FunctionNotification: {"CloudFunctionConfiguration", "CloudFunction"},
}

// notificationEvents are the event types of S3 (user guide, "Event notification types and destinations").
var notificationEvents = []string{
	"s3:ObjectCreated:*", "s3:ObjectCreated:Put", "s3:ObjectCreated:Post", "s3:ObjectCreated:Copy",
	"s3:ObjectCreated:CompleteMultipartUpload",
	"s3:ObjectRemoved:*", "s3:ObjectRemoved:Delete", "s3:ObjectRemoved:DeleteMarkerCreated",
	"s3:ObjectRestore:*", "s3:ObjectRestore:Post", "s3:ObjectRestore:Completed", "s3:ObjectRestore:Delete",
	"s3:ReducedRedundancyLostObject",
	"s3:Replication:*", "s3:Replication:OperationFailedReplication", "s3:Replication:OperationNotTracked",
	"s3:Replication:OperationMissedThreshold", "s3:Replication:OperationReplicatedAfterThreshold",
	"s3:LifecycleExpiration:*", "s3:LifecycleExpiration:Delete", "s3:LifecycleExpiration:DeleteMarkerCreated",
	"s3:LifecycleTransition", "s3:IntelligentTiering", "s3:ObjectAcl:Put",
	"s3:ObjectTagging:*", "s3:ObjectTagging:Put", "s3:ObjectTagging:Delete",
}

// NotificationConfig is the document of PutBucketNotificationConfiguration
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketNotificationConfiguration.html). The zero value notifies nobody.
type NotificationConfig struct{ Rules []NotificationRule }

// NotificationRule says which events of which keys go to one target.
type NotificationRule struct {
	Kind   NotificationKind
	ID     string // never ""
	ARN    string // of the target
	Events []string
	Prefix *string // of keys; nil: not filtered by prefix
	Suffix *string
}

// Match reports whether the event type (such as "s3:ObjectCreated:Put") of the key concerns the rule.
func (r *NotificationRule) Match(event, key string) bool {
	return (r.Prefix == nil || strings.HasPrefix(key, *r.Prefix)) && (r.Suffix == nil || strings.HasSuffix(key, *r.Suffix)) &&
		slices.ContainsFunc(r.Events, func(pattern string) bool { return eventIncludes(pattern, event) })
}

// eventIncludes reports whether a type of a rule, which may end in ":*", includes an event type.
func eventIncludes(pattern, event string) bool {
	family, all := strings.CutSuffix(pattern, "*")
	return pattern == event || all && strings.HasPrefix(event, family)
}

// DecodeNotification decodes a NotificationConfiguration document and checks what can be checked without knowing the targets.
// A rule without an Id gets one that depends on the rule alone. EventBridge is NotImplemented.
func DecodeNotification(body []byte) (NotificationConfig, error) {
	var c NotificationConfig
	err := decodeRoot(body, "NotificationConfiguration", func(s *scanner, name string) error {
		if name == "EventBridgeConfiguration" {
			return E(NotImplemented).WithMessage("The EventBridgeConfiguration element is not implemented")
		}
		for kind, elements := range notificationElements {
			if name != elements.rule {
				continue
			}
			if len(c.Rules) == MaxNotificationRules {
				return E(InvalidRequest).WithMessage("Too many configurations submitted. The maximum number of configurations is " +
					strconv.Itoa(MaxNotificationRules))
			}
			rule, err := s.notificationRule(NotificationKind(kind))
			c.Rules = append(c.Rules, rule)
			return err
		}
		return s.fail("unexpected element " + name)
	})
	if err == nil {
		err = c.check()
	}
	if err != nil {
		return NotificationConfig{}, err
	}
	return c, nil
}

func (s *scanner) notificationRule(kind NotificationKind) (NotificationRule, error) {
	r := NotificationRule{Kind: kind}
	var seen map[string]bool
	err := s.each(func(name string) error {
		switch name {
		case "Id":
			return s.once(&seen, name, &r.ID)
		case notificationElements[kind].target:
			return s.once(&seen, "target", &r.ARN)
		case "Event":
			event, err := s.text()
			r.Events = append(r.Events, event)
			return err
		case "Filter":
			if seen["Filter"] {
				return s.fail("second Filter")
			}
			if seen == nil {
				seen = make(map[string]bool)
			}
			seen["Filter"] = true
			return s.notificationFilter(&r)
		}
		return s.fail("unexpected element " + name)
	})
	if err == nil && (r.ARN == "" || len(r.Events) == 0) {
		err = s.fail("rule without target or event")
	}
	return r, err
}

// notificationFilter reads <S3Key><FilterRule>…</FilterRule></S3Key>.
func (s *scanner) notificationFilter(r *NotificationRule) error {
	return s.each(func(name string) error {
		if name != "S3Key" {
			return s.fail("unexpected element " + name)
		}
		return s.each(func(name string) error {
			if name != "FilterRule" {
				return s.fail("unexpected element " + name)
			}
			return s.filterRule(r)
		})
	})
}

func (s *scanner) filterRule(r *NotificationRule) error {
	var name, value string
	var seen map[string]bool
	err := s.each(func(field string) error {
		switch field {
		case "Name":
			return s.once(&seen, field, &name)
		case "Value":
			return s.once(&seen, field, &value)
		}
		return s.fail("unexpected element " + field)
	})
	if err != nil {
		return err
	}
	into := &r.Prefix
	switch strings.ToLower(name) {
	case "prefix":
	case "suffix":
		into = &r.Suffix
	default:
		return BadArgument("FilterRule.Name", name, "filter rule name must be either prefix or suffix")
	}
	switch {
	case *into != nil:
		return BadArgument("FilterRule.Name", name, "Cannot specify more than one "+strings.ToLower(name)+" rule in a filter.")
	case len(value) > maxFilterValue:
		return BadArgument("FilterRule.Value", value, "Size of filter rule value cannot exceed 1024 bytes in UTF-8 representation")
	}
	*into = &value
	return nil
}

// check validates the rules beside one another and gives ids to those without.
func (c *NotificationConfig) check() error {
	ids := make(map[string]bool, len(c.Rules))
	for i := range c.Rules {
		r := &c.Rules[i]
		if err := r.check(); err != nil {
			return err
		}
		for _, other := range c.Rules[:i] {
			if err := r.overlap(&other); err != nil {
				return err
			}
		}
		if r.ID == "" {
			r.ID = r.madeID()
		}
		if ids[r.ID] {
			return BadArgument("Id", r.ID, "Same ID used for multiple configurations. IDs must be unique.")
		}
		ids[r.ID] = true
	}
	return nil
}

func (r *NotificationRule) check() error {
	if len(r.ID) > maxNotificationID {
		return BadArgument("Id", r.ID, "ID length exceeded allowed limit of 255")
	}
	if !strings.HasPrefix(r.ARN, "arn:") || strings.Count(r.ARN, ":") < 5 {
		return BadArgument(notificationElements[r.Kind].target, r.ARN, "The ARN could not be parsed")
	}
	for i, event := range r.Events {
		if !slices.Contains(notificationEvents, event) {
			return BadArgument("Event", event, "A specified event is not supported for notifications.")
		}
		for _, other := range r.Events[:i] {
			if eventIncludes(event, other) || eventIncludes(other, event) {
				return BadArgument("Event", event, eventsOverlap)
			}
		}
	}
	return nil
}

const eventsOverlap = "Configurations overlap. Configurations on the same bucket cannot share a common event type."

// overlap refuses two rules that one event of one key could both concern.
func (r *NotificationRule) overlap(other *NotificationRule) error {
	common := slices.ContainsFunc(r.Events, func(a string) bool {
		return slices.ContainsFunc(other.Events, func(b string) bool { return eventIncludes(a, b) || eventIncludes(b, a) })
	})
	if !common {
		return nil
	}
	p, q := filterText(r.Prefix), filterText(other.Prefix)
	s, t := filterText(r.Suffix), filterText(other.Suffix)
	switch {
	case !strings.HasPrefix(p, q) && !strings.HasPrefix(q, p), !strings.HasSuffix(s, t) && !strings.HasSuffix(t, s):
		return nil
	case p == "" && s == "" && q == "" && t == "":
		return BadArgument("Event", r.Events[0], eventsOverlap)
	}
	return BadArgument("Filter", r.ARN, "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules "+
		"if the prefixes are overlapping for the same event type.")
}

func filterText(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

// madeID is the id of a rule that came without. Two rules that would get the same overlap, and so cannot both be there.
func (r *NotificationRule) madeID() string {
	sum := sha256.Sum256(r.append(nil))
	return hex.EncodeToString(sum[:16])
}

// Append appends the document.
func (c *NotificationConfig) Append(dst []byte) []byte {
	dst = appendRoot(dst, "NotificationConfiguration")
	for i := range c.Rules {
		dst = c.Rules[i].append(dst)
	}
	return appendClose(dst, "NotificationConfiguration")
}

func (r *NotificationRule) append(dst []byte) []byte {
	elements := notificationElements[r.Kind]
	dst = appendOpen(dst, elements.rule)
	dst = appendElement(dst, "Id", r.ID)
	dst = appendElement(dst, elements.target, r.ARN)
	for _, event := range r.Events {
		dst = appendElement(dst, "Event", event)
	}
	if r.Prefix != nil || r.Suffix != nil {
		dst = append(dst, "<Filter><S3Key>"...)
		dst = appendFilterRule(dst, "Prefix", r.Prefix)
		dst = appendFilterRule(dst, "Suffix", r.Suffix)
		dst = append(dst, "</S3Key></Filter>"...)
	}
	return appendClose(dst, elements.rule)
}

func appendFilterRule(dst []byte, name string, value *string) []byte {
	if value == nil {
		return dst
	}
	dst = appendOpen(dst, "FilterRule")
	dst = appendElement(dst, "Name", name)
	dst = appendElement(dst, "Value", *value)
	return appendClose(dst, "FilterRule")
}
