/// One instruction of Lua 5.4's virtual machine.
struct Instruction {
    let word: UInt32

    var code: UInt8 { UInt8(word & 0x7F) }
    var operation: Operation? { Operation(rawValue: code) }

    var a: Int { Int(word >> 7 & 0xFF) }
    var isKSet: Bool { word >> 15 & 1 == 1 }
    var b: Int { Int(word >> 16 & 0xFF) }
    var c: Int { Int(word >> 24) }
    var bx: Int { Int(word >> 15) }
    var ax: Int { Int(word >> 7) }
    /// Of a jump: how many instructions it leaves out behind it.
    var jump: Int { ax - 0xFF_FFFF }

    /// The number of the last one there is.
    static let lastCode: UInt8 = 82

    /// Those that have to do with names, and those that change more than the register that `a` names, or none.
    enum Operation: UInt8 {
        case move = 0
        case loadConstant = 3
        case loadConstantExtra = 4
        case loadNil = 8
        case getUpvalue = 9
        case setUpvalue = 10
        case getTableUp = 11
        case getTable = 12
        case getField = 14
        case setTableUp = 15
        case setTable = 16
        case setInteger = 17
        case setField = 18
        case newTable = 19
        case `self` = 20
        case binaryMethod = 46
        case binaryMethodInteger = 47
        case binaryMethodConstant = 48
        case close = 54
        case toBeClosed = 55
        case jump = 56
        case equal = 57
        case lessThan = 58
        case lessOrEqual = 59
        case equalConstant = 60
        case equalInteger = 61
        case lessThanInteger = 62
        case lessOrEqualInteger = 63
        case greaterThanInteger = 64
        case greaterOrEqualInteger = 65
        case test = 66
        case call = 68
        case tailCall = 69
        case `return` = 70
        case return0 = 71
        case return1 = 72
        case forLoop = 73
        case forPrepare = 74
        case genericForPrepare = 75
        case genericForCall = 76
        case genericForLoop = 77
        case setList = 78
        case closure = 79
        case varargs = 80
        case prepareVarargs = 81
        case extra = 82
    }

    /// What it writes to.
    enum Written {
        case nothing
        case register(Int)
        /// This one and all after it.
        case from(Int)
    }

    var written: Written {
        switch operation {
        case .setUpvalue, .setTableUp, .setTable, .setInteger, .setField, .binaryMethod, .binaryMethodInteger,
            .binaryMethodConstant, .close, .toBeClosed, .jump, .equal, .lessThan, .lessOrEqual, .equalConstant,
            .equalInteger, .lessThanInteger, .lessOrEqualInteger, .greaterThanInteger, .greaterOrEqualInteger, .test,
            .return, .return0, .return1, .setList, .prepareVarargs, .extra:
            .nothing
        case .loadNil, .self, .call, .tailCall, .forLoop, .forPrepare, .genericForPrepare, .genericForCall,
            .genericForLoop, .varargs:
            .from(a)
        default: .register(a)
        }
    }
}
