package s3api

// LogDate says whose date the keys of log objects carry, when they are partitioned by date.
type LogDate string

// The values of LogDate. "" means that keys are not partitioned: TargetPrefix, the time of delivery and a unique string.
const (
	LogEventTime    LogDate = "EventTime"    // of the events in the log, whose hour is cut off
	LogDeliveryTime LogDate = "DeliveryTime" // of the log itself
)

// LoggingConfig is the document of PutBucketLogging (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLogging.html).
// The zero value is logging switched off.
type LoggingConfig struct {
	TargetBucket string
	TargetPrefix string
	Partitioned  LogDate
	Simple       bool // keys that are not partitioned were asked for by name
}

// Enabled reports whether logs are delivered at all.
func (c *LoggingConfig) Enabled() bool { return c.TargetBucket != "" }

// DecodeLogging decodes a BucketLoggingStatus document. TargetGrants other than none are NotImplemented: log objects belong to
// the owner of the target bucket.
func DecodeLogging(body []byte) (LoggingConfig, error) {
	var c LoggingConfig
	var seen map[string]bool
	err := decodeRoot(body, "BucketLoggingStatus", func(s *scanner, name string) error {
		if name != "LoggingEnabled" || seen != nil {
			return s.fail("unexpected element " + name)
		}
		seen = make(map[string]bool)
		if err := s.each(func(name string) error { return s.loggingField(&c, &seen, name) }); err != nil {
			return err
		}
		if c.TargetBucket == "" || !seen["TargetPrefix"] {
			return s.fail("no TargetBucket or no TargetPrefix")
		}
		return nil
	})
	if err != nil {
		return LoggingConfig{}, err
	}
	return c, nil
}

func (s *scanner) loggingField(c *LoggingConfig, seen *map[string]bool, name string) error {
	switch name {
	case "TargetBucket":
		return s.once(seen, name, &c.TargetBucket)
	case "TargetPrefix":
		return s.once(seen, name, &c.TargetPrefix)
	case "TargetGrants":
		return s.each(func(string) error {
			return E(NotImplemented).WithMessage("The TargetGrants element of LoggingEnabled is not implemented")
		})
	case "TargetObjectKeyFormat":
		return s.each(func(name string) error { return s.keyFormat(c, seen, name) })
	}
	return s.fail("unexpected element " + name)
}

func (s *scanner) keyFormat(c *LoggingConfig, seen *map[string]bool, name string) error {
	if (*seen)["format"] {
		return s.fail("second key format")
	}
	(*seen)["format"] = true
	switch name {
	case "SimplePrefix":
		c.Simple = true
		return s.each(func(string) error { return s.fail("element in SimplePrefix") })
	case "PartitionedPrefix":
		var source string
		err := s.each(func(name string) error {
			if name != "PartitionDateSource" {
				return s.fail("unexpected element " + name)
			}
			return s.once(seen, name, &source)
		})
		if err != nil {
			return err
		}
		if c.Partitioned = LogDate(source); c.Partitioned != LogEventTime && c.Partitioned != LogDeliveryTime {
			return s.fail("unknown PartitionDateSource")
		}
		return nil
	}
	return s.fail("unexpected element " + name)
}

// Append appends the document.
func (c *LoggingConfig) Append(dst []byte) []byte {
	dst = appendRoot(dst, "BucketLoggingStatus")
	if c.Enabled() {
		dst = appendOpen(dst, "LoggingEnabled")
		dst = appendElement(dst, "TargetBucket", c.TargetBucket)
		dst = appendElement(dst, "TargetPrefix", c.TargetPrefix)
		switch {
		case c.Simple:
			dst = append(dst, "<TargetObjectKeyFormat><SimplePrefix></SimplePrefix></TargetObjectKeyFormat>"...)
		case c.Partitioned != "":
			dst = append(dst, "<TargetObjectKeyFormat><PartitionedPrefix>"...)
			dst = appendElement(dst, "PartitionDateSource", string(c.Partitioned))
			dst = append(dst, "</PartitionedPrefix></TargetObjectKeyFormat>"...)
		}
		dst = appendClose(dst, "LoggingEnabled")
	}
	return appendClose(dst, "BucketLoggingStatus")
}
