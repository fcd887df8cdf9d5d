/// Words that are written as one number: names of alternatives and texts of OCPP. Frozen: words are only ever added at the end.
/// A word that is not here is written out in full.
enum Vocabulary {
  static func place(of word: String) -> Int? { places[word] }
  static func word(at place: UInt64) -> String? { place < UInt64(words.count) ? words[Int(place)] : nil }

  private static let places: [String: Int] = {
    var result: [String: Int] = [:]
    for (place, word) in words.enumerated() { result[word] = place }
    return result
  }()
  private static let words = list.split(whereSeparator: { $0 == " " || $0 == "\n" }).map(String.init)
  private static let list = """
    current power anyone tags tcp rtu silent exception implausible unreachable planned installed proven accepted none ac dc
    available Available preparing Preparing charging Charging suspendedEVSE SuspendedEVSE suspendedEV SuspendedEV finishing
    Finishing reserved Reserved unavailable Unavailable faulted Faulted Accepted blocked Blocked expired Expired invalid Invalid
    concurrent ConcurrentTx boot authorise start stop amperes A watts W absolute relative transaction transactionDefault
    stationMaximum pauses refused endsTransaction sticks losesControl announces needsTrigger silentBeforeBoot daily weekly
    noPeriods lateStart outOfOrder negativeLimit phases learn setProfile clearProfiles readComposite trigger changeAvailability
    remoteStart remoteStop unlock reset getConfiguration changeConfiguration clearCache getDiagnostics heartbeat status
    meterValues ChargePointMaxProfile TxDefaultProfile TxProfile decrease increase routine sent superseded timedOut lost learned
    composite configuration connected disconnected booted clock started stopped sampled outcome deviated command answer decided
    alarm idle maximum demand full waiting awaitingRoom notControlled storeFailed held commissioning fallbackRefused disobedient
    opened closed orphanStop meterStale meterFrozen meterSuspect stationLost notFollowing uncontrollable clockWrong
    baseAboveLimit overLimit unknownSupply configured restarted reading meterFault station limitSet limitWithdrawn clockStepped
    cancelled storeRecovered trust order deadline manualCap maintenance priority hold l1 l2 l3 rst RST rts RTS srt SRT str STR
    trs TRS tsr TSR Local EVDisconnected Remote PowerLoss Other EmergencyStop HardReset SoftReset Reboot DeAuthorized
    UnlockCommand NoError UTC N E O GetConfiguration ChangeAvailability Rejected NotSupported NotImplemented InternalError
    tariff planned plan later need trip tripped
    """
}
