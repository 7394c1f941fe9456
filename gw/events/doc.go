// Package events tells others what happens in buckets: it sends the event messages of S3
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html) to the targets that the server's
// configuration names, as the notification configuration of each bucket says.
//
// The way of an event: a change in a bucket with a configuration is noted in the change log of its name server, in the same commit as the
// change. A follower of that log turns it into messages and puts those into the queue of each target, objects of the service bucket, and
// moves its cursor behind them. A sender per target takes them out in order, delivers, and removes what was delivered.
//
// The invariant: the cursor moves only past changes whose messages are in a queue, and a message leaves the queue only when its target took
// it. So each event is sent at least once, through crashes and takeovers, and the events of one key in their order; an event
// may come twice, which its sequencer tells. A target that is dead keeps its own queue only, up to a bound; beyond that, and when a change
// log was cut before it was read, events are lost, which a metric and the log tell.
package events
