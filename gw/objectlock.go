package gw

import (
	"net/http"
	"strings"
	"time"

	"holdfast"
	"holdfast/gw/checksum"
	"holdfast/gw/s3api"
	"holdfast/volume"
)

// lockSetting is the name of the default retention among a bucket's settings. Whether the bucket has object lock at all is in its
// record.
const lockSetting = "object-lock"

// getObjectLockConfiguration serves GetObjectLockConfiguration
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectLockConfiguration.html).
func getObjectLockConfiguration(q *request) error {
	b, err := q.bucket()
	if err != nil {
		return err
	}
	if !b.Info().ObjectLock {
		return s3api.E(s3api.ObjectLockConfigurationNotFoundError).With("BucketName", q.target.Bucket)
	}
	return q.sendXML(func(dst []byte) []byte {
		if doc, ok := b.Info().Settings[lockSetting]; ok {
			return append(dst, doc...)
		}
		return s3api.AppendLockConfiguration(dst, s3api.DefaultRetention{})
	})
}

// putObjectLockConfiguration serves PutObjectLockConfiguration
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLockConfiguration.html): it gives a bucket with versioning object lock, for
// ever, and sets the default retention or takes it off.
func putObjectLockConfiguration(q *request) error {
	b, err := q.bucket()
	if err != nil {
		return err
	}
	doc, err := q.document(s3api.OpPutObjectLockConfiguration)
	if err != nil {
		return err
	}
	config, err := s3api.DecodeLockConfiguration(doc)
	if err != nil {
		return err
	}
	if b.Info().Versioning != holdfast.VersioningEnabled {
		return s3api.E(s3api.InvalidBucketState).WithMessage("Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration")
	}
	var stored []byte
	if config.Mode != "" {
		stored = s3api.AppendLockConfiguration(nil, config)
	}
	on := true
	// Bound to the record that was looked at: versioning must not be suspended in between.
	err = q.updateBucket(volume.BucketChange{Epoch: b.Info().Epoch, ObjectLock: &on, Settings: map[string][]byte{lockSetting: stored}})
	if err != nil {
		return bucketRace(err)
	}
	q.w.WriteHeader(http.StatusOK)
	return nil
}

// wantsObjectLock reads the header of CreateBucket that asks for object lock.
func wantsObjectLock(h http.Header) (bool, error) {
	switch value := h.Get("X-Amz-Bucket-Object-Lock-Enabled"); strings.ToLower(value) {
	case "", "false":
		return false, nil
	case "true":
		return true, nil
	default:
		return false, s3api.BadArgument("x-amz-bucket-object-lock-enabled", value, "")
	}
}

// lockMode converts a mode to how entries keep them.
func lockMode(m s3api.LockMode) holdfast.LockMode {
	switch m {
	case s3api.Governance:
		return holdfast.LockGovernance
	case s3api.Compliance:
		return holdfast.LockCompliance
	}
	return holdfast.LockNone
}

// storedLock converts what a write says of a lock to how entries keep it.
func storedLock(l s3api.LockHeaders) holdfast.Lock {
	lock := holdfast.Lock{Mode: lockMode(l.Retention.Mode), Until: l.Retention.Until}
	if l.Hold != nil {
		lock.LegalHold, lock.HoldOff = *l.Hold, !*l.Hold
	}
	return lock
}

// shownLock converts it back.
func shownLock(l holdfast.Lock) s3api.LockHeaders {
	var shown s3api.LockHeaders
	switch l.Mode {
	case holdfast.LockGovernance:
		shown.Retention = s3api.Retention{Mode: s3api.Governance, Until: l.Until}
	case holdfast.LockCompliance:
		shown.Retention = s3api.Retention{Mode: s3api.Compliance, Until: l.Until}
	}
	if l.LegalHold || l.HoldOff {
		shown.Hold = &l.LegalHold
	}
	return shown
}

// lockNew completes the lock of an entry that is about to be written to a bucket: one that its request did not give a
// retention gets the bucket's default, and a bucket without object lock takes none.
func (q *request) lockNew(b *volume.Bucket, e *holdfast.Entry) error {
	if !b.Info().ObjectLock {
		if e.Lock.IsZero() {
			return nil
		}
		return s3api.E(s3api.InvalidRequest).WithMessage("Bucket is missing ObjectLockConfiguration")
	}
	if e.Lock.Mode != holdfast.LockNone {
		return nil
	}
	config, ok, err := parseSetting(&q.g.parsed, b, lockSetting, s3api.DecodeLockConfiguration)
	if err != nil || !ok {
		return err
	}
	r := config.From(time.Now().UTC())
	e.Lock.Mode, e.Lock.Until = lockMode(r.Mode), r.Until
	return nil
}

// checkLockedBody refuses bytes of a version that is locked without a digest of the client's, as S3 does: what was damaged on
// its way could not be replaced. kind is "Object" or "Part".
func (q *request) checkLockedBody(l holdfast.Lock, kind string) error {
	if l.Mode == holdfast.LockNone && !l.LegalHold || q.r.Header.Get("Content-Md5") != "" || q.body.declared.Algorithm != checksum.None {
		return nil
	}
	return s3api.E(s3api.InvalidRequest).WithMessage(
		"Content-MD5 OR x-amz-checksum- HTTP header is required for Put " + kind + " requests with Object Lock parameters")
}

// lockable refuses requests about the locks of a bucket without object lock.
func (q *request) lockable() error {
	b, err := q.bucket()
	if err == nil && !b.Info().ObjectLock {
		err = s3api.E(s3api.InvalidRequest).WithMessage("Bucket is missing Object Lock Configuration")
	}
	return err
}

// getLock answers with the document that show makes of a version's lock; nil means that nothing was said of that side of it.
func (q *request) getLock(show func(s3api.LockHeaders) func(dst []byte) []byte) error {
	if err := q.lockable(); err != nil {
		return err
	}
	return q.onVersion(func(e *holdfast.Entry) error {
		document := show(shownLock(e.Lock))
		if document == nil {
			return s3api.E(s3api.NoSuchObjectLockConfiguration).With("Key", q.target.Key)
		}
		return q.sendXML(document)
	})
}

// setLock changes the side of a version's lock that the request's document is about.
func (q *request) setLock(side holdfast.Aspect, decode func(doc []byte) (s3api.LockHeaders, error)) error {
	if err := q.lockable(); err != nil {
		return err
	}
	doc, err := q.document(q.op)
	if err != nil {
		return err
	}
	lock, err := decode(doc)
	if err != nil {
		return err
	}
	return q.setAspects(http.StatusOK, volume.AttrChange{
		Mask: side, Entry: holdfast.Entry{Lock: storedLock(lock)}, Bypass: bypass(q.r.Header),
	})
}

// getObjectRetention serves GetObjectRetention
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectRetention.html).
func getObjectRetention(q *request) error {
	return q.getLock(func(l s3api.LockHeaders) func([]byte) []byte {
		if l.Retention.Mode == "" {
			return nil
		}
		return func(dst []byte) []byte { return s3api.AppendRetention(dst, l.Retention) }
	})
}

// putObjectRetention serves PutObjectRetention
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectRetention.html). What may replace what is decided by the commit.
func putObjectRetention(q *request) error {
	return q.setLock(holdfast.AspectRetention, func(doc []byte) (s3api.LockHeaders, error) {
		r, err := s3api.DecodeRetention(doc)
		if err == nil {
			err = r.CheckFuture(time.Now())
		}
		return s3api.LockHeaders{Retention: r}, err
	})
}

// getObjectLegalHold serves GetObjectLegalHold
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectLegalHold.html).
func getObjectLegalHold(q *request) error {
	return q.getLock(func(l s3api.LockHeaders) func([]byte) []byte {
		if l.Hold == nil {
			return nil
		}
		return func(dst []byte) []byte { return s3api.AppendLegalHold(dst, *l.Hold) }
	})
}

// putObjectLegalHold serves PutObjectLegalHold
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLegalHold.html).
func putObjectLegalHold(q *request) error {
	return q.setLock(holdfast.AspectLegalHold, func(doc []byte) (s3api.LockHeaders, error) {
		on, err := s3api.DecodeLegalHold(doc)
		return s3api.LockHeaders{Hold: &on}, err
	})
}
