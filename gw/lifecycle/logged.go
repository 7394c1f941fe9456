package lifecycle

import (
	"time"

	"holdfast"
	"holdfast/gw/accesslog"
	"holdfast/gw/s3api"
	"holdfast/volume"
)

// logTo says where what is done in a bucket is logged. Where nothing is logged it is nil.
type logTo struct {
	log    *accesslog.Log
	config s3api.LoggingConfig
}

// logOf returns the log of a bucket.
func (r *Runner) logOf(info *holdfast.BucketInfo) *logTo {
	doc := info.Settings["logging"]
	if r.opts.AccessLog == nil || len(doc) == 0 {
		return nil
	}
	c, err := s3api.DecodeLogging(doc)
	if err != nil || !c.Enabled() { // what was stored parses: it was checked
		return nil
	}
	return &logTo{r.opts.AccessLog, c}
}

// line begins the line of something that was done now.
func (s *scan) line(operation, key string) accesslog.Record {
	return accesslog.Record{
		Owner: s.info.Owner, Bucket: s.info.Name, Time: time.Now(), Requester: accesslog.Store, Operation: operation, Key: key,
		ObjectSize: -1, Total: -1, TurnAround: -1,
	}
}

// logRemoved adds the line of a version that was removed or hidden.
func (s *scan) logRemoved(a *action, done *volume.DeleteResult) {
	if s.log == nil {
		return
	}
	r := s.line(accesslog.Expire, a.request.Key)
	switch {
	case done.Marker && a.did == didExpire:
		r.Operation = accesslog.CreateMarker
	case a.did != didMarker:
		r.ObjectSize = a.version.Size
	}
	if s.info.Versioning != holdfast.VersioningOff {
		if r.Version = done.Version.String(); done.Null {
			r.Version = "null"
		}
	}
	s.log.log.Add(&r, s.log.config)
}

// logAborted adds the line of an upload that was aborted.
func (s *scan) logAborted(key string) {
	if s.log == nil {
		return
	}
	r := s.line(accesslog.AbortUpload, key)
	s.log.log.Add(&r, s.log.config)
}
