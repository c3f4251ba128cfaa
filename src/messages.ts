/** `troupe/messages`: mailboxes for agents, and the types of messages. */
export { mailbox, type AgentMailbox, type OutgoingMessage, type ReceivedMessage } from "./workers/mailbox.ts";
export { MessageType, type MessagePayloads } from "./core/mail/message-type.ts";
